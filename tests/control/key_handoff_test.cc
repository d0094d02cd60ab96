#include "control/key_handoff.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

TEST(KeyHandoff, TellsTheOwnerOfSessionsAndEverybodyOfRoutes) {
  KeyHandoff handoff(3);
  handoff.add_session({4}, {}, {});
  handoff.add_route(*Prefix::parse("10.0.0.2/32"), {4});

  const auto session = handoff.poll();
  ASSERT_TRUE(session && std::holds_alternative<AddSession>(session->command));
  EXPECT_EQ(session->worker, WorkerId{1});
  for (std::uint16_t i = 0; i < 3; ++i) {
    const auto route = handoff.poll();
    ASSERT_TRUE(route && std::holds_alternative<AddRoute>(route->command));
    EXPECT_EQ(route->worker, WorkerId{i});
    EXPECT_EQ(std::get<AddRoute>(route->command).peer_id, PeerId{4});
  }
  EXPECT_FALSE(handoff.poll());
}

TEST(KeyHandoff, KeepsTheOrderInWhichItWasTold) {
  KeyHandoff handoff(1);
  handoff.add_session({0}, {}, {});
  handoff.install_keys({0}, {});
  handoff.confirm_key({0}, {0});
  handoff.remove_route(*Prefix::parse("10.0.0.2/32"), {0});
  handoff.remove_session({0}, true);

  EXPECT_TRUE(std::holds_alternative<AddSession>(handoff.poll()->command));
  EXPECT_TRUE(std::holds_alternative<InstallKeys>(handoff.poll()->command));
  EXPECT_TRUE(std::holds_alternative<ConfirmKey>(handoff.poll()->command));
  EXPECT_TRUE(std::holds_alternative<RemoveRoute>(handoff.poll()->command));
  EXPECT_TRUE(std::holds_alternative<RemoveSession>(handoff.poll()->command));
}

TEST(KeyHandoff, TellsEverybodyOfSessionsWhosePacketsNameNoPeer) {
  KeyHandoff handoff(2);
  handoff.add_session({0}, {}, {.data_v2 = false});
  handoff.remove_session({0}, false);

  for (std::uint16_t i = 0; i < 2; ++i) {
    const auto command = handoff.poll();
    EXPECT_EQ(command->worker, WorkerId{i});
    EXPECT_TRUE(std::holds_alternative<AddSession>(command->command));
  }
  for (std::uint16_t i = 0; i < 2; ++i) {
    const auto command = handoff.poll();
    EXPECT_EQ(command->worker, WorkerId{i});
    EXPECT_TRUE(std::holds_alternative<RemoveSession>(command->command));
  }
  EXPECT_FALSE(handoff.poll());
}

TEST(KeyHandoff, TellsEverybodyOfChannelsButTheWorkerOfAConnectionAlone) {
  KeyHandoff handoff(3);
  LinkEndpoint connection;
  connection.connection = {.number = 5, .generation = 1};
  handoff.tell(KnowChannel{.endpoint = {}, .session = {}});
  handoff.tell(ForgetChannel{.endpoint = connection, .session = {}});

  for (std::uint16_t i = 0; i < 3; ++i) {
    const auto command = handoff.poll();
    ASSERT_TRUE(command && std::holds_alternative<KnowChannel>(command->command));
    EXPECT_EQ(command->worker, WorkerId{i});
  }
  const auto command = handoff.poll();
  ASSERT_TRUE(command && std::holds_alternative<ForgetChannel>(command->command));
  EXPECT_EQ(command->worker, WorkerId{2});
  EXPECT_FALSE(handoff.poll());
}

}  // namespace
}  // namespace ringway

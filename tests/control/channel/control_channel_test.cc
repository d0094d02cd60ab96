#include "control/channel/control_channel.h"

#include <gtest/gtest.h>

#include "tests/dataplane/admission/admission_fixture.h"
#include "tests/support/channel_pair.h"

namespace ringway {
namespace {

using test::ChannelPair;
using test::ChannelPairSetup;

std::vector<std::uint8_t> copy(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

/// What one end seals, the other opens, and they are not the same key.
void expect_same_keys(const ChannelPair& pair) {
  const auto* server = pair.last<KeysReady>(Side::Server);
  const auto* client = pair.last<KeysReady>(Side::Client);
  ASSERT_NE(server, nullptr);
  ASSERT_NE(client, nullptr);
  EXPECT_EQ(server->keys.key_id, client->keys.key_id);
  EXPECT_EQ(copy(server->keys.seal.material.bytes()), copy(client->keys.open.material.bytes()));
  EXPECT_EQ(copy(server->keys.open.material.bytes()), copy(client->keys.seal.material.bytes()));
  EXPECT_NE(copy(server->keys.open.material.bytes()), copy(server->keys.seal.material.bytes()));
}

TEST(ControlChannel, ConnectsAndAgreesOnKeysUnderEveryWrapping) {
  for (test::WrapPair& wraps : test::all_wraps()) {
    SCOPED_TRACE(wraps.name);
    ChannelPairSetup setup;
    setup.server_wrap = std::move(wraps.server);
    setup.client_wrap = std::move(wraps.client);
    ChannelPair pair(std::move(setup));

    ASSERT_TRUE(pair.connect(1s));
    pair.run_for(1s);

    expect_same_keys(pair);
    EXPECT_EQ(pair.last<AuthRequested>(Side::Server)->certificate.common_name, "client1");
    EXPECT_EQ(pair.last<PushReceived>(Side::Client)->reply.options.size(), 2u);
    EXPECT_EQ(pair.count<ControlActive>(Side::Server), 1u);
    EXPECT_EQ(pair.count<PushReceived>(Side::Client), 1u);
    EXPECT_EQ(pair.server().local_session(), pair.client().remote_session());
    EXPECT_EQ(pair.client().tls_description(), "TLSv1.3, TLS_AES_256_GCM_SHA384");
  }
}

}  // namespace
}  // namespace ringway

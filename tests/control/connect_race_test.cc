#include "control/connect_race.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

namespace ringway {
namespace {

using Family = ConnectRace::Family;
using Verdict = ConnectRace::Verdict;

constexpr Instant kBegin{1000s};

/// 6a or 4b, on one port for each server.
Endpoint server(std::string_view name, std::size_t remote = 0) {
  const std::string text = name[0] == '6' ? fmt::format("2001:db8::{}", name[1])
                                          : fmt::format("192.0.2.{}", name[1] - 'a' + 1);
  return {*IpAddress::parse(text), static_cast<std::uint16_t>(1194 + remote)};
}

/// What happens at some time after the beginning.
struct Step {
  Duration at{0};
  enum class Kind : std::uint8_t { Addresses, Refused, Answers } kind = Kind::Addresses;
  /// Addresses: "0: 6a 6b", the server and the answer to one question; "0: 6" or "0: 4" is none.
  /// Refused, Answers: an address.
  std::string what;
};

/// Lives through `steps` in virtual time and writes down what the race does: "0 ask 0:6" for a
/// look-up, "250 try 4a" for a start, "30000 drop 6a" for one that is given up, and the verdict.
class Story {
 public:
  explicit Story(std::vector<RaceRemote> remotes) : race_(std::move(remotes), kBegin) {}

  std::string tell(std::vector<Step> steps, Duration until = 200s) {
    drain();
    for (const Step& step : steps) {
      advance(kBegin + step.at);
      apply(step);
      drain();
    }
    advance(kBegin + until);
    if (race_.verdict() == Verdict::Won) return text_ + "won " + name_of(race_.winner());
    return text_ + (race_.verdict() == Verdict::Lost ? "lost" : "open");
  }
  [[nodiscard]] const ConnectRace& race() const { return race_; }

 private:
  /// The deadlines until `when`, each at its time, as a shell would.
  void advance(Instant when) {
    while (const auto timeout = race_.poll_timeout()) {
      if (*timeout > when) break;
      ASSERT_LT(++turns_, 1000u) << text_;
      now_ = std::max(now_, *timeout);
      race_.handle_timeout(now_);
      drain();
    }
    now_ = std::max(now_, when);
  }
  void apply(const Step& step) {
    if (step.kind == Step::Kind::Refused) {
      return race_.handle_refusal(attempts_by_name_.at(step.what), now_);
    }
    if (step.kind == Step::Kind::Answers) {
      return race_.handle_answer(attempts_by_name_.at(step.what), now_);
    }
    const std::size_t remote = static_cast<std::size_t>(step.what[0] - '0');
    const Family family = step.what[3] == '6' ? Family::V6 : Family::V4;
    std::vector<Endpoint> addresses;
    for (std::size_t i = 3; i + 1 < step.what.size(); i += 3) {
      addresses.push_back(server(step.what.substr(i, 2), remote));
    }
    race_.handle_addresses(remote, family, addresses, now_);
  }
  void drain() {
    while (const auto action = race_.poll_action()) {
      text_ += fmt::format(
          "{} ", std::chrono::duration_cast<std::chrono::milliseconds>(now_ - kBegin).count());
      std::visit([this](const auto& what) { note(what); }, *action);
    }
  }
  void note(const ConnectRace::LookUp& look_up) {
    text_ += fmt::format("ask {}:{}, ", look_up.remote, look_up.family == Family::V6 ? 6 : 4);
  }
  void note(const ConnectRace::Start& start) {
    const bool is_v4 = start.server.address.is_v4();
    const std::string address = start.server.address.to_string();
    const char last = is_v4 ? static_cast<char>('a' + address.back() - '1') : address.back();
    const std::string name = fmt::format("{}{}", is_v4 ? 4 : 6, last);
    EXPECT_EQ(start.server, server(name, start.remote));
    EXPECT_EQ(start.attempt, names_.size());
    attempts_by_name_[name] = start.attempt;
    names_.push_back(name);
    text_ += "try " + name + ", ";
  }
  void note(const ConnectRace::Abandon& abandon) {
    text_ += "drop " + name_of(abandon.attempt) + ", ";
  }
  [[nodiscard]] std::string name_of(std::size_t attempt) const { return names_.at(attempt); }

  ConnectRace race_;
  Instant now_ = kBegin;
  std::string text_;
  std::vector<std::string> names_;
  std::map<std::string, std::size_t> attempts_by_name_;
  unsigned turns_ = 0;
};

Step addresses(Duration at, std::string what) {
  return {.at = at, .kind = Step::Kind::Addresses, .what = std::move(what)};
}
Step refused(Duration at, std::string what) {
  return {.at = at, .kind = Step::Kind::Refused, .what = std::move(what)};
}
Step answers(Duration at, std::string what) {
  return {.at = at, .kind = Step::Kind::Answers, .what = std::move(what)};
}

struct Row {
  const char* name;
  std::vector<Step> steps;
  std::string story;
};

void expect_stories(const std::vector<Row>& rows, const std::vector<RaceRemote>& remotes) {
  for (const Row& row : rows) EXPECT_EQ(Story(remotes).tell(row.steps), row.story) << row.name;
}

TEST(ConnectRace, FallsBackToTheOtherFamilyAfter250Milliseconds) {
  expect_stories(
      {
          {"both are there, IPv6 answers",
           {addresses(3ms, "0: 6a"), addresses(4ms, "0: 4a"), answers(40ms, "6a")},
           "0 ask 0:6, 0 ask 0:4, 3 try 6a, won 6a"},
          {"IPv6 is a black hole",
           {addresses(3ms, "0: 6a"), addresses(4ms, "0: 4a"), answers(300ms, "4a")},
           "0 ask 0:6, 0 ask 0:4, 3 try 6a, 253 try 4a, 300 drop 6a, won 4a"},
          {"IPv6 is refused by ICMP: the next one follows at once",
           {addresses(3ms, "0: 6a"), addresses(4ms, "0: 4a"), refused(5ms, "6a"),
            answers(30ms, "4a")},
           "0 ask 0:6, 0 ask 0:4, 3 try 6a, 5 try 4a, 30 drop 6a, won 4a"},
          {"what was refused may win still",
           {addresses(3ms, "0: 6a"), addresses(4ms, "0: 4a"), refused(5ms, "6a"),
            answers(30ms, "6a")},
           "0 ask 0:6, 0 ask 0:4, 3 try 6a, 5 try 4a, 30 drop 4a, won 6a"},
          {"the slower one wins when it answers first",
           {addresses(0ms, "0: 6a"), addresses(0ms, "0: 4a"), answers(900ms, "6a")},
           "0 ask 0:6, 0 ask 0:4, 0 try 6a, 250 try 4a, 900 drop 4a, won 6a"},
          {"both are refused: nobody is waited for",
           {addresses(0ms, "0: 6a"), addresses(0ms, "0: 4a"), refused(1ms, "6a"),
            refused(2ms, "4a")},
           "0 ask 0:6, 0 ask 0:4, 0 try 6a, 1 try 4a, 2 drop 6a, 2 drop 4a, lost"},
          {"both are silent",
           {addresses(0ms, "0: 6a"), addresses(0ms, "0: 4a")},
           "0 ask 0:6, 0 ask 0:4, 0 try 6a, 250 try 4a, 30000 drop 6a, 30250 drop 4a, lost"},
          {"one is refused, the other silent",
           {addresses(0ms, "0: 6a"), addresses(0ms, "0: 4a"), refused(1ms, "6a")},
           "0 ask 0:6, 0 ask 0:4, 0 try 6a, 1 try 4a, 30000 drop 6a, 30001 drop 4a, lost"},
      },
      {RaceRemote{}});
}

// RFC 8305, section 3.
TEST(ConnectRace, WaitsAMomentForTheBetterFamilysAddresses) {
  expect_stories(
      {
          {"AAAA first: at once",
           {addresses(10ms, "0: 6a"), answers(20ms, "6a")},
           "0 ask 0:6, 0 ask 0:4, 10 try 6a, won 6a"},
          {"A first, AAAA within 50 ms",
           {addresses(10ms, "0: 4a"), addresses(40ms, "0: 6a"), answers(45ms, "6a")},
           "0 ask 0:6, 0 ask 0:4, 40 try 6a, won 6a"},
          {"A first, AAAA too late",
           {addresses(10ms, "0: 4a"), addresses(200ms, "0: 6a"), answers(400ms, "6a")},
           "0 ask 0:6, 0 ask 0:4, 60 try 4a, 310 try 6a, 400 drop 4a, won 6a"},
          {"A first, then the word that there is no AAAA",
           {addresses(10ms, "0: 4a"), addresses(12ms, "0: 6"), answers(30ms, "4a")},
           "0 ask 0:6, 0 ask 0:4, 12 try 4a, won 4a"},
          {"no AAAA, then A",
           {addresses(10ms, "0: 6"), addresses(12ms, "0: 4a"), answers(30ms, "4a")},
           "0 ask 0:6, 0 ask 0:4, 12 try 4a, won 4a"},
          {"AAAA alone, and it is silent: A may still come",
           {addresses(10ms, "0: 6a"), addresses(5s, "0: 4a"), answers(6s, "4a")},
           "0 ask 0:6, 0 ask 0:4, 10 try 6a, 5000 try 4a, 6000 drop 6a, won 4a"},
          {"neither",
           {addresses(10ms, "0: 6"), addresses(12ms, "0: 4")},
           "0 ask 0:6, 0 ask 0:4, lost"},
          {"the resolver is silent", {}, "0 ask 0:6, 0 ask 0:4, lost"},
      },
      {RaceRemote{}});
}

TEST(ConnectRace, LetsTheFamiliesTakeTurns) {
  EXPECT_EQ(
      Story({RaceRemote{}})
          .tell({addresses(0ms, "0: 6a 6b 6c"), addresses(0ms, "0: 4a 4b"), answers(1100ms, "4b")}),
      "0 ask 0:6, 0 ask 0:4, 0 try 6a, 250 try 4a, 500 try 6b, 750 try 4b, 1000 try 6c, "
      "1100 drop 6a, 1100 drop 4a, 1100 drop 6b, 1100 drop 6c, won 4b");
}

TEST(ConnectRace, AsksForOneFamilyAloneWhereThatIsWanted) {
  EXPECT_EQ(
      Story({RaceRemote{.wants_v4 = false}}).tell({addresses(0ms, "0: 6a"), refused(1ms, "6a")}),
      "0 ask 0:6, 0 try 6a, 1 drop 6a, lost");
  EXPECT_EQ(
      Story({RaceRemote{.wants_v6 = false}}).tell({addresses(0ms, "0: 4a"), answers(1ms, "4a")}),
      "0 ask 0:4, 0 try 4a, won 4a");
}

TEST(ConnectRace, TriesFirstWhatWorkedLast) {
  const RaceRemote v4_was_good{.history = {.last_good = server("4b"), .blamed = {}}};
  expect_stories(
      {
          {"of the other family, and the race still runs",
           {addresses(0ms, "0: 6a"), addresses(1ms, "0: 4a 4b"), answers(300ms, "6a")},
           "0 ask 0:6, 0 ask 0:4, 1 try 4b, 251 try 6a, 300 drop 4b, won 6a"},
          {"it is not waited for beyond the resolution delay",
           {addresses(0ms, "0: 6a"), answers(60ms, "6a")},
           "0 ask 0:6, 0 ask 0:4, 50 try 6a, won 6a"},
          {"nor is anything else, when it is known first",
           {addresses(0ms, "0: 4a 4b"), answers(60ms, "4b")},
           "0 ask 0:6, 0 ask 0:4, 0 try 4b, won 4b"},
          {"the name has changed",
           {addresses(0ms, "0: 6a"), addresses(0ms, "0: 4a"), answers(60ms, "6a")},
           "0 ask 0:6, 0 ask 0:4, 0 try 6a, won 6a"},
      },
      {v4_was_good});
}

TEST(ConnectRace, TriesLastWhatAnsweredWithoutAConnection) {
  const RaceRemote v6_was_bad{.history = {.last_good = {}, .blamed = {server("6a")}}};
  EXPECT_EQ(Story({v6_was_bad})
                .tell({addresses(0ms, "0: 6a"), addresses(1ms, "0: 4a"), answers(60ms, "4a")}),
            "0 ask 0:6, 0 ask 0:4, 1 try 4a, won 4a");
  EXPECT_EQ(Story({v6_was_bad})
                .tell({addresses(0ms, "0: 6a 6b"), addresses(1ms, "0: 4a"), answers(600ms, "6a")}),
            "0 ask 0:6, 0 ask 0:4, 0 try 6b, 250 try 4a, 500 try 6a, 600 drop 6b, 600 drop 4a, "
            "won 6a");
}

TEST(ConnectRace, GoesOnToTheNextServerInOrder) {
  expect_stories(
      {
          {"the first is refused: at once",
           {addresses(0ms, "0: 6a"), addresses(0ms, "0: 4"), refused(1ms, "6a"),
            addresses(2ms, "1: 6b"), answers(3ms, "6b")},
           "0 ask 0:6, 0 ask 0:4, 0 try 6a, 0 ask 1:6, 0 ask 1:4, 2 try 6b, 3 drop 6a, won 6b"},
          {"the first is silent: after three seconds, and it may still win",
           {addresses(0ms, "0: 6a"), addresses(0ms, "0: 4a"), addresses(300ms, "1: 6b"),
            answers(4s, "6a")},
           "0 ask 0:6, 0 ask 0:4, 0 try 6a, 250 try 4a, 250 ask 1:6, 250 ask 1:4, 3250 try 6b, "
           "4000 drop 4a, 4000 drop 6b, won 6a"},
          {"the first has no address: at once",
           {addresses(0ms, "0: 6"), addresses(0ms, "0: 4"), addresses(1ms, "1: 6b"),
            answers(2ms, "6b")},
           "0 ask 0:6, 0 ask 0:4, 0 ask 1:6, 0 ask 1:4, 1 try 6b, won 6b"},
          {"nobody tells the first one's address: after three seconds, and it may still come",
           {addresses(3s, "1: 6b"), addresses(5s, "0: 6a"), answers(6s, "6a")},
           "0 ask 0:6, 0 ask 0:4, 3000 ask 1:6, 3000 ask 1:4, 3000 try 6b, 5000 try 6a, "
           "6000 drop 6b, won 6a"},
          {"all are refused",
           {addresses(0ms, "0: 6a"), addresses(0ms, "0: 4"), refused(1ms, "6a"),
            addresses(2ms, "1: 6b"), addresses(2ms, "1: 4"), refused(3ms, "6b")},
           "0 ask 0:6, 0 ask 0:4, 0 try 6a, 0 ask 1:6, 0 ask 1:4, 2 try 6b, 3 drop 6a, 3 drop 6b, "
           "lost"},
      },
      {RaceRemote{}, RaceRemote{}});
}

TEST(ConnectRace, GivesAnAddressNoLongerThanItsConnectTimeout) {
  const RaceRemote impatient{.wants_v4 = false, .connect_timeout = 2s};
  EXPECT_EQ(Story({impatient, impatient})
                .tell({addresses(0ms, "0: 6a"), addresses(0ms, "1: 6b"), answers(2500ms, "6b")}),
            "0 ask 0:6, 0 try 6a, 0 ask 1:6, 2000 drop 6a, 2000 try 6b, won 6b");
}

TEST(ConnectRace, SharesALocalPortBetweenFamiliesAlone) {
  const RaceRemote bound{.local_port = 1194};
  EXPECT_EQ(Story({bound}).tell(
                {addresses(0ms, "0: 6a 6b"), addresses(0ms, "0: 4a"), answers(3100ms, "6b")}),
            "0 ask 0:6, 0 ask 0:4, 0 try 6a, 250 try 4a, 3000 drop 6a, 3000 try 6b, 3100 drop 4a, "
            "won 6b");
}

TEST(ConnectRace, BoundsHowManyAddressesOfANameAreTried) {
  std::vector<Endpoint> many;
  for (std::uint64_t i = 0; i < 20; ++i) {
    many.push_back({server("6a").address.plus(i), 1194});
  }
  ConnectRace race({RaceRemote{.wants_v4 = false}}, kBegin);
  race.handle_addresses(0, Family::V6, many, kBegin);
  EXPECT_EQ(race.address_count(0), ConnectRace::kAddressesMax);
}

TEST(ConnectRace, BoundsHowManyAreTriedAtATime) {
  std::vector<RaceRemote> remotes(4);
  ConnectRace race(std::move(remotes), kBegin);
  Instant now = kBegin;
  std::size_t running = 0;
  std::size_t most = 0;
  std::size_t started = 0;
  for (std::size_t remote = 0; remote < 4; ++remote) {
    for (const Family family : {Family::V6, Family::V4}) {
      std::vector<Endpoint> many;
      const Endpoint first = server(family == Family::V6 ? "6a" : "4a", remote);
      for (std::uint64_t i = 0; i < 8; ++i) many.push_back({first.address.plus(i), first.port});
      race.handle_addresses(remote, family, many, now);
    }
  }
  while (const auto timeout = race.poll_timeout()) {
    while (const auto action = race.poll_action()) {
      if (std::holds_alternative<ConnectRace::Start>(*action)) ++running, ++started;
      if (std::holds_alternative<ConnectRace::Abandon>(*action)) --running;
      most = std::max(most, running);
    }
    now = std::max(now, *timeout);
    race.handle_timeout(now);
  }
  EXPECT_EQ(race.verdict(), Verdict::Lost);
  EXPECT_EQ(started, 4 * 16u);
  EXPECT_EQ(most, ConnectRace::kRunningMax);
}

TEST(ConnectRace, IgnoresWhatComesAfterTheEnd) {
  ConnectRace race({RaceRemote{.wants_v4 = false}}, kBegin);
  race.handle_addresses(0, Family::V6, std::array{server("6a"), server("6b")}, kBegin);
  race.handle_answer(0, kBegin);
  ASSERT_EQ(race.verdict(), Verdict::Won);

  race.handle_refusal(0, kBegin);
  race.handle_timeout(kBegin + 100s);

  EXPECT_EQ(race.verdict(), Verdict::Won);
  EXPECT_EQ(race.winner(), 0u);
  EXPECT_EQ(race.poll_timeout(), std::nullopt);
}

}  // namespace
}  // namespace ringway

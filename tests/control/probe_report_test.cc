#include "control/probe_report.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace ringway {
namespace {

Endpoint endpoint(const char* text, std::uint16_t port = 1194) {
  return {.address = *IpAddress::parse(text), .port = port};
}

ProbeOutcome outcome(const char* address, ProbeVerdict verdict) {
  ProbeOutcome made;
  made.target = endpoint(address);
  made.verdict = verdict;
  made.sent = 1;
  return made;
}

ProbeOutcome answered(const char* address, const char* source, ProbeVerdict verdict) {
  ProbeOutcome made = outcome(address, verdict);
  made.source = endpoint(source);
  made.round_trip = 12345us;
  return made;
}

ProbeOutcome failed(const char* address, ProbeVerdict verdict, const char* reason,
                    std::optional<IpAddress> from) {
  ProbeOutcome made = outcome(address, verdict);
  made.failure = ProbeFailure{.kind = ProbeFailure::Kind::Refused, .reason = reason, .from = from};
  return made;
}

ProbeOutcome silent(const char* address) {
  ProbeOutcome made = outcome(address, ProbeVerdict::Silent);
  made.sent = 5;
  made.waited = 5s;
  return made;
}

ProbeTarget target(std::vector<ProbeOutcome> outcomes,
                   ProbeWrapping wrapping = ProbeWrapping::None) {
  return {.host = "vpn.example.com",
          .port = 1194,
          .transport = ProbeTransport::Udp,
          .wrapping = wrapping,
          .gaps = {},
          .outcomes = std::move(outcomes)};
}

/// Every verdict, every gap and every hint, one report each.
std::vector<std::pair<std::string, ProbeReport>> every_kind() {
  using V = ProbeVerdict;
  const auto v4 = answered("192.0.2.1", "192.0.2.1", V::Reachable);
  const auto v6 = answered("2001:db8::1", "2001:db8::1", V::Reachable);
  const IpAddress router = *IpAddress::parse("198.51.100.1");
  ProbeTarget lone = target({v4});
  lone.gaps = {{.ipv6 = true, .reason = "No address associated with hostname"}};
  ProbeTarget six = target({v6});
  six.gaps = {{.ipv6 = false, .reason = "No address associated with hostname"}};
  ProbeTarget nowhere = target({});
  nowhere.gaps = {{.ipv6 = false, .reason = "Name or service not known"},
                  {.ipv6 = true, .reason = "Name or service not known"}};
  ProbeOutcome bare = answered("192.0.2.1", "192.0.2.1", V::NotOpenVpn);
  bare.answer_is_unwrapped = true;
  ProbeTarget tcp = target(
      {failed("192.0.2.1", V::Closed, "Connection reset by peer", *IpAddress::parse("192.0.2.1"))});
  tcp.transport = ProbeTransport::Tcp;
  ProbeTarget measured = target({v4, v6});
  measured.paths = {{.target = endpoint("192.0.2.1"), .mtu = 1460, .failure = {}},
                    {.target = endpoint("2001:db8::1"),
                     .mtu = std::nullopt,
                     .failure = "the server answers no probe"}};
  ProbeOutcome filtered = silent("192.0.2.1");
  filtered.transport = ProbeTransport::Tcp;
  filtered.sent = 0;
  ProbeTarget no_connection = target({filtered});
  no_connection.transport = ProbeTransport::Tcp;
  return {
      {"both families answer", {{target({v4, v6}, ProbeWrapping::TlsCrypt)}}},
      {"no AAAA", {{lone}}},
      {"no A", {{six}}},
      {"no such name", {{nowhere}}},
      {"IPv6 is refused",
       {{target({v4, failed("2001:db8::1", V::Refused, "Connection refused",
                            *IpAddress::parse("2001:db8::1"))})}}},
      {"IPv6 is silent", {{target({v4, silent("2001:db8::1")})}}},
      {"IPv4 is silent", {{target({silent("192.0.2.1"), v6}, ProbeWrapping::TlsAuth)}}},
      {"wrong source", {{target({answered("192.0.2.1", "192.0.2.9", V::WrongSource)})}}},
      {"a router knows no way",
       {{target({failed("192.0.2.1", V::Unreachable, "No route to host", router)})}}},
      {"this host knows no way",
       {{target({failed("2001:db8::1", V::Unreachable, "Network is unreachable", {})})}}},
      {"another program", {{target({outcome("192.0.2.1", V::NotOpenVpn)})}}},
      {"a server without wrapping", {{target({bare}, ProbeWrapping::TlsCrypt)}}},
      {"TCP is closed", {{tcp}}},
      {"TCP is filtered", {{no_connection}}},
      {"path MTUs", {{measured}}},
  };
}

std::string golden_path() {
  return std::string(RINGWAY_SOURCE_ROOT) + "/tests/control/samples/probe-reports.txt";
}

// RINGWAY_UPDATE_GOLDEN=1 writes the file anew.
TEST(ProbeReport, SaysWhatTheSampleSays) {
  std::string text;
  for (const auto& [name, report] : every_kind()) {
    text += "## " + name + ": exit status " + std::to_string(report.exit_status()) + "\n" +
            report.to_text() + "\n";
  }
  if (std::getenv("RINGWAY_UPDATE_GOLDEN") != nullptr) std::ofstream(golden_path()) << text;
  std::ifstream file(golden_path());
  std::stringstream golden;
  golden << file.rdbuf();
  EXPECT_EQ(text, golden.str()) << "run again with RINGWAY_UPDATE_GOLDEN=1 if this is meant";
}

TEST(ProbeReport, ExitsByHowManyAddressesAnswer) {
  const auto good = answered("192.0.2.1", "192.0.2.1", ProbeVerdict::Reachable);
  const auto wrong = answered("192.0.2.1", "192.0.2.9", ProbeVerdict::WrongSource);
  EXPECT_EQ((ProbeReport{{target({good, good})}}.exit_status()), 0);
  EXPECT_EQ((ProbeReport{{target({wrong})}}.exit_status()), 1);
  EXPECT_EQ((ProbeReport{{target({})}}.exit_status()), 1);
  EXPECT_EQ((ProbeReport{{target({good, silent("2001:db8::1")})}}.exit_status()), 2);
  EXPECT_EQ((ProbeReport{{target({good}), target({wrong})}}.exit_status()), 2);
}

TEST(ProbeReport, IsOneJsonObject) {
  const auto good = answered("192.0.2.1", "192.0.2.1", ProbeVerdict::Reachable);
  ProbeTarget one = target({good, silent("2001:db8::1")}, ProbeWrapping::TlsAuth);
  one.gaps = {{.ipv6 = true, .reason = "none"}};
  const std::string json = ProbeReport{{one}}.to_json();
  for (const char* part :
       {"\"host\": \"vpn.example.com\"", "\"port\": 1194", "\"transport\": \"udp\"",
        "\"wrapping\": \"tls-auth\"", "\"family\": \"ipv4\"", "\"address\": \"192.0.2.1\"",
        "\"verdict\": \"reachable\"", "\"round_trip_ms\": 12.345", "\"source\": \"192.0.2.1:1194\"",
        "\"verdict\": \"silent\"", "\"round_trip_ms\": null", "\"missing\"", "\"reachable\": 1",
        "\"addresses\": 2", "\"exit_status\": 2"}) {
    EXPECT_NE(json.find(part), std::string::npos) << part << "\n" << json;
  }
}

// A name from a profile is in nobody's hands but may hold anything.
TEST(ProbeReport, SurvivesTextThatIsNoUtf8) {
  ProbeTarget odd = target({});
  odd.host = "\xff\"";
  EXPECT_NE((ProbeReport{{odd}}.to_json().find("\\\"")), std::string::npos);
}

}  // namespace
}  // namespace ringway

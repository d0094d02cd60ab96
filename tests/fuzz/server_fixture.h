#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/check.h"
#include "control/channel/tls_context.h"
#include "control/config/config.h"
#include "dataplane/admission/tls_wrap.h"
#include "tests/support/certificates.h"

/// What fuzz_server's server and its clients are made of.
namespace ringway::fuzz {

inline constexpr std::uint16_t kWorkers = 2;
inline constexpr UnixTime kWall{1'795'458'636};

/// The bits: programs decide about clients 1; clients have files 2; one name, many clients 4; from
/// client to client 8; who has no name comes in all the same, and names are names 16; new keys
/// every six seconds 32; who idles goes, and all do after a while 64; a goodbye that sends clients
/// elsewhere 128.
inline ServerConfig server_config(std::uint8_t bits) {
  ServerConfig config;
  config.tunnel.network_v4 = Prefix::parse("10.8.0.0/28");
  config.timers.hand_window = 20s;
  config.timers.ping = 3s;
  config.timers.ping_restart = 12s;
  config.push = {"ping 3", "ping-restart 10"};
  config.clients_max = 8;
  if ((bits & 1) != 0) {
    ProgramConfig& programs = config.programs;
    programs.security = 3;
    for (ProgramLine* line : {&programs.certificate, &programs.password, &programs.connect,
                              &programs.disconnect, &programs.learn, &programs.challenge}) {
      line->words = {"/bin/decide"};
    }
  }
  if ((bits & 2) != 0) config.client_config_directory = "ccd";
  config.duplicate_cn = (bits & 4) != 0;
  config.client_to_client = (bits & 8) != 0;
  config.programs.password_optional = (bits & 16) != 0;
  config.programs.username_as_common_name = (bits & 16) != 0;
  if ((bits & 32) != 0) config.timers.renegotiate = config.timers.renegotiate_min = 6s;
  if ((bits & 64) != 0) {
    config.timers.inactive = {.time = 7s, .bytes = 100};
    config.timers.session_timeout = 40s;
  }
  if ((bits & 128) != 0) config.explicit_exit_notify = 2;
  return config;
}

inline TlsContext make_tls(Side side, std::string_view cert, std::string_view key) {
  auto context = TlsContext::make(side,
                                  {.ca_pem = std::string(test::kCaPem),
                                   .cert_pem = std::string(cert),
                                   .key_pem = std::string(key)},
                                  kWall);
  RW_ASSERT(context.has_value());
  return std::move(*context);
}

/// What is the same for every input.
struct Fixture {
  TlsWrap wrap;
  TlsContext server_tls = make_tls(Side::Server, test::kServerCertPem, test::kServerKeyPem);
  TlsContext client_tls[2] = {
      make_tls(Side::Client, test::kClientCertPem, test::kClientKeyPem),
      make_tls(Side::Client, test::kOtherClientCertPem, test::kOtherClientKeyPem)};
};
inline const Fixture& fixture() {
  static const Fixture instance;
  return instance;
}

/// Where datagrams come from: of sixteen, eight are over UDP, and eight are four TCP connections,
/// each followed by another in its place when it has ended.
class Places {
 public:
  [[nodiscard]] LinkEndpoint at(std::uint8_t number) const {
    const char* address = number % 2 == 0 ? "203.0.113.7" : "2001:db8:99::7";
    LinkEndpoint place{.remote = {.address = *IpAddress::parse(address),
                                  .port = static_cast<std::uint16_t>(50'000 + number / 2 % 4)},
                       .local = *IpAddress::parse("198.51.100.1"),
                       .listener = 0};
    if ((number & 8) == 0) return place;
    place.remote.port = static_cast<std::uint16_t>(51'000 + number % 4);
    place.listener = 1;
    place.connection = {.number = number % 4u, .generation = generations_[number % 4]};
    return place;
  }
  /// False for one that has ended already.
  bool end(const LinkEndpoint& connection) {
    std::uint32_t& generation = generations_[connection.connection.number];
    if (generation != connection.connection.generation) return false;
    ++generation;
    return true;
  }

 private:
  std::array<std::uint32_t, 4> generations_ = {1, 1, 1, 1};
};

}  // namespace ringway::fuzz

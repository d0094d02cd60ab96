#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "control/config/config.h"
#include "control/question.h"

/// The environment that OpenVPN 2.6 gives to programs, by name (tests/interop/program_test.sh
/// compares it). Built from nothing: what the server was started with is not in it, and what a
/// client says of itself is only under IV_ and UV_ (security goal B16). Pure.
namespace ringway {

/// What of it only the running server knows.
struct ServerFacts {
  std::string device;
  std::int64_t process_id = 0;
  UnixTime started;
};

/// Collects "NAME=VALUE"; the last of a name counts. Control characters in values become '_'.
class ProgramEnvironment {
 public:
  /// All together, so that it fits a message to the helper and a program's stack.
  static constexpr std::size_t kSizeMax = 64 * 1024;

  void set(std::string_view name, std::string_view value);
  void set(std::string_view name, std::uint64_t value);
  void unset(std::string_view name);
  /// Without what is beyond kSizeMax.
  [[nodiscard]] std::vector<std::string> take();

 private:
  std::vector<std::string> entries_;
};

/// What all programs see.
void add_server(ProgramEnvironment& environment, const ServerConfig& config,
                const ServerFacts& server);
/// `up` has run: what later programs see besides.
void add_tunnel(ProgramEnvironment& environment, const ServerConfig& config);
/// tls_*_n and X509_n_*: of the certificates from `depth` upwards.
void add_certificates(ProgramEnvironment& environment, const PeerCertificate& certificate,
                      std::size_t depth);
/// Where the client is: untrusted_*, and trusted_* when it has been authenticated.
void add_endpoint(ProgramEnvironment& environment, const ClientFacts& client);
/// IV_* and UV_*.
void add_peer_info(ProgramEnvironment& environment, const PeerInfo& info);
/// Its name and addresses, and since when.
void add_session(ProgramEnvironment& environment, const ServerConfig& config,
                 const ClientFacts& client);

/// What `up`, `down` and `route-up` are given: device, MTU, 0, address, netmask, "init".
std::vector<std::string> device_arguments(const ServerConfig& config, const ServerFacts& server);

}  // namespace ringway

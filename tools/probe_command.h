#pragma once

#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace ringway {

/// What stands behind `ringway probe`.
struct ProbeArguments {
  /// A profile's file name, a host name or an address.
  std::string target;
  std::optional<std::uint16_t> port;
  std::string tls_crypt;
  std::string tls_auth;
  std::optional<int> key_direction;
  std::string auth;
  bool tcp = false;
  bool ipv4_only = false;
  bool ipv6_only = false;
  bool json = false;
  bool path_mtu = false;
  unsigned limit_s = 5;
};

/// Declares the options of `ringway probe` and its --help.
void add_probe_options(CLI::App& command, ProbeArguments& arguments);

/// Asks, prints what was found, and returns the exit status (ProbeReport).
int run_probe_command(const ProbeArguments& arguments);

}  // namespace ringway

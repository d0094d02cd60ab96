#include "control/programs/program_environment.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <map>
#include <utility>

#include "base/check.h"
#include "control/config/tunnel_addresses.h"

namespace ringway {
namespace {

/// Names that a client chooses. What a shell or the loader listens to does not begin so.
bool is_peer_name(std::string_view name) {
  if (!name.starts_with("IV_") && !name.starts_with("UV_")) return false;
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

std::string printable(std::string_view value) {
  std::string text(value);
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }, '_');
  return text;
}

/// As OpenVPN changes what a client says of itself: without blanks, and without what a shell would
/// take for a command where a program is careless.
std::string harmless(std::string_view value) {
  std::string text(value);
  std::ranges::replace_if(
      text, [](char c) { return c <= ' ' || c > '~' || c == '$' || c == '`' || c == '('; }, '_');
  return text;
}

std::string local_time(UnixTime time) {
  const std::time_t seconds = time.seconds;
  std::tm local{};
  ::localtime_r(&seconds, &local);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", local.tm_year + 1900, local.tm_mon + 1,
                     local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec);
}

/// The host's routes into the tunnel. Their gateway is the second address of the network, which
/// OpenVPN takes for the other end of its device.
void add_routes(ProgramEnvironment& environment, const TunnelConfig& tunnel) {
  const std::optional<Prefix>& v4 = tunnel.network_v4;
  const std::optional<Prefix>& v6 = tunnel.network_v6;
  std::size_t v4_count = 0;
  std::size_t v6_count = 0;
  for (const Prefix& route : tunnel.routes) {
    if (route.address.is_v4()) {
      const std::size_t n = ++v4_count;
      environment.set(fmt::format("route_network_{}", n), route.address.to_string());
      environment.set(fmt::format("route_netmask_{}", n), route.netmask_text());
      if (!v4) continue;
      environment.set("route_vpn_gateway", v4->address.plus(2).to_string());
      environment.set(fmt::format("route_gateway_{}", n), v4->address.plus(2).to_string());
    } else {
      const std::size_t n = ++v6_count;
      environment.set(fmt::format("route_ipv6_network_{}", n), route.to_string());
      if (!v6) continue;
      environment.set(fmt::format("route_ipv6_gateway_{}", n), v6->address.plus(2).to_string());
    }
  }
}

}  // namespace

void ProgramEnvironment::set(std::string_view name, std::string_view value) {
  unset(name);
  entries_.push_back(std::string(name) + "=" + printable(value));
}

void ProgramEnvironment::unset(std::string_view name) {
  const std::string start = std::string(name) + "=";
  std::erase_if(entries_, [&](const std::string& entry) { return entry.starts_with(start); });
}

void ProgramEnvironment::set(std::string_view name, std::uint64_t value) {
  set(name, std::to_string(value));
}

std::vector<std::string> ProgramEnvironment::take() {
  std::size_t size = 0;
  std::erase_if(entries_, [&](const std::string& entry) {
    size += entry.size() + 1;
    return size > kSizeMax;
  });
  return std::move(entries_);
}

void add_server(ProgramEnvironment& environment, const ServerConfig& config,
                const ServerFacts& server) {
  environment.set("script_context", "init");
  environment.set("config", config.source);
  environment.set("verb", static_cast<std::uint64_t>(config.verb));
  environment.set("daemon", std::uint64_t{0});
  environment.set("daemon_log_redirect", std::uint64_t{config.log_file.empty() ? 0u : 1u});
  environment.set("daemon_pid", static_cast<std::uint64_t>(server.process_id));
  environment.set("daemon_start_time", static_cast<std::uint64_t>(server.started.seconds));
  environment.set("dev", server.device);
  environment.set("tun_mtu", std::uint64_t{config.tunnel.mtu});
  std::size_t number = 0;
  for (const ListenConfig& listener : config.listen) {
    ++number;
    if (listener.address) {
      environment.set(fmt::format("local_{}", number), listener.address->to_string());
    }
    environment.set(fmt::format("local_port_{}", number), std::uint64_t{listener.port});
    environment.set(fmt::format("remote_port_{}", number), std::uint64_t{listener.port});
    environment.set(fmt::format("proto_{}", number), listener.proto_text);
  }
  for (const auto& [name, value] : config.programs.variables) environment.set(name, value);
}

void add_tunnel(ProgramEnvironment& environment, const ServerConfig& config) {
  const TunnelConfig& tunnel = config.tunnel;
  environment.set("dev_type", "tun");
  if (tunnel.network_v4) {
    environment.set("ifconfig_local", own_address_v4(tunnel)->to_string());
    environment.set("ifconfig_netmask", tunnel.network_v4->netmask_text());
  }
  if (tunnel.network_v6) {
    environment.set("ifconfig_ipv6_local", own_address_v6(tunnel)->to_string());
    environment.set("ifconfig_ipv6_netbits", std::uint64_t{tunnel.network_v6->length});
    environment.set("ifconfig_ipv6_remote", tunnel.network_v6->address.plus(2).to_string());
  }
  add_routes(environment, tunnel);
}

void add_certificates(ProgramEnvironment& environment, const PeerCertificate& certificate,
                      std::size_t depth) {
  for (std::size_t n = depth; n < certificate.chain.size(); ++n) {
    const CertificateFacts& facts = certificate.chain[n];
    environment.set(fmt::format("tls_id_{}", n), facts.subject);
    environment.set(fmt::format("tls_serial_{}", n), facts.serial_decimal);
    environment.set(fmt::format("tls_serial_hex_{}", n), facts.serial_hex);
    environment.set(fmt::format("tls_digest_{}", n), facts.sha1_hex);
    environment.set(fmt::format("tls_digest_sha256_{}", n), facts.sha256_hex);
    // Of several fields of one name the first has the plain name: X509_0_OU, X509_0_OU_1, ...
    std::map<std::string_view, std::size_t> seen;
    for (const auto& [name, value] : facts.subject_fields) {
      const std::size_t before = seen[name]++;
      environment.set(before == 0 ? fmt::format("X509_{}_{}", n, name)
                                  : fmt::format("X509_{}_{}_{}", n, name, before),
                      value);
    }
  }
}

void add_endpoint(ProgramEnvironment& environment, const ClientFacts& client) {
  const Endpoint& remote = client.endpoint.remote;
  const std::string_view six = remote.address.is_v4() ? "" : "6";
  const bool is_trusted = client.connected_since.seconds > 0;
  for (const char* kind : {"untrusted", "trusted"}) {
    if (!is_trusted && std::string_view(kind) == "trusted") break;
    environment.set(fmt::format("{}_ip{}", kind, six), remote.address.to_string());
    environment.set(fmt::format("{}_port", kind), std::uint64_t{remote.port});
  }
}

void add_peer_info(ProgramEnvironment& environment, const PeerInfo& info) {
  for (const auto& [name, value] : info.lines()) {
    if (is_peer_name(name)) environment.set(name, harmless(value));
  }
}

void add_session(ProgramEnvironment& environment, const ServerConfig& config,
                 const ClientFacts& client) {
  if (!client.common_name.empty()) environment.set("common_name", client.common_name);
  // Who may log in without a name has an empty one.
  if (!client.username.empty() || config.programs.password.is_set()) {
    environment.set("username", client.username);
  }
  // As OpenVPN's `auth-gen-token` tells them.
  if (!client.session_id.empty()) {
    if (!client.session_state.empty()) environment.set("session_state", client.session_state);
    environment.set("session_id", client.session_id);
  }
  const TunnelConfig& tunnel = config.tunnel;
  if (client.lease.v4 && tunnel.network_v4) {
    environment.set("ifconfig_pool_remote_ip", client.lease.v4->to_string());
    environment.set("ifconfig_pool_netmask", tunnel.network_v4->netmask_text());
  }
  if (client.lease.v6 && tunnel.network_v6) {
    environment.set("ifconfig_pool_remote_ip6", client.lease.v6->to_string());
    environment.set("ifconfig_pool_local_ip6", own_address_v6(tunnel)->to_string());
    environment.set("ifconfig_pool_ip6_netbits", std::uint64_t{tunnel.network_v6->length});
  }
  if (client.connected_since.seconds == 0) return;
  environment.set("time_unix", static_cast<std::uint64_t>(client.connected_since.seconds));
  environment.set("time_ascii", local_time(client.connected_since));
}

std::vector<std::string> device_arguments(const ServerConfig& config, const ServerFacts& server) {
  const TunnelConfig& tunnel = config.tunnel;
  // The link's MTU, which OpenVPN gave here, has been 0 since 2.6.
  return {server.device,
          std::to_string(tunnel.mtu),
          "0",
          tunnel.network_v4 ? own_address_v4(tunnel)->to_string() : "",
          tunnel.network_v4 ? tunnel.network_v4->netmask_text() : "",
          "init"};
}

}  // namespace ringway

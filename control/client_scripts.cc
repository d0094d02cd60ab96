#include "control/client_scripts.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "control/config/config_lexer.h"

namespace ringway {
namespace {

constexpr int kSecurityForScripts = 2;

/// What a server says goes into the environment of a shell: nothing but printing characters.
std::string harmless(std::string_view text) {
  std::string kept(text);
  std::ranges::replace_if(kept, [](char c) { return c < ' ' || c > '~'; }, '_');
  return kept;
}

/// Collects "NAME=VALUE".
class Environment {
 public:
  template <typename Value>
  void set(std::string_view name, const Value& value) {
    entries_.push_back(fmt::format("{}={}", name, harmless(fmt::format("{}", value))));
  }
  /// "NAME_1=VALUE" and so on.
  template <typename Value>
  void set(std::string_view name, std::size_t number, const Value& value) {
    set(fmt::format("{}_{}", name, number), value);
  }
  std::vector<std::string> take() { return std::move(entries_); }

 private:
  std::vector<std::string> entries_;
};

void add_server(Environment& environment, const Endpoint& server, const ClientConfig& config) {
  const std::string address = server.address.to_string();
  const std::string_view six = server.address.is_v4() ? "" : "6";
  for (const char* kind : {"trusted", "untrusted"}) {
    environment.set(fmt::format("{}_ip{}", kind, six), address);
    environment.set(fmt::format("{}_port", kind), server.port);
  }
  environment.set("remote_1", address);
  environment.set("remote_port_1", server.port);
  environment.set("proto_1", server.address.is_v4() ? "udp" : "udp6");
  environment.set("config", config.source);
  environment.set("verb", config.verb);
  environment.set("daemon", 0);
  environment.set("daemon_pid", ::getpid());
}

void add_addresses(Environment& environment, const NetworkLines& lines) {
  if (lines.ifconfig) {
    const bool is_subnet = lines.topology == "subnet";
    environment.set("ifconfig_local", lines.ifconfig->address.to_string());
    environment.set(is_subnet ? "ifconfig_netmask" : "ifconfig_remote",
                    lines.ifconfig->netmask_or_peer.to_string());
  }
  if (lines.ifconfig_ipv6) {
    environment.set("ifconfig_ipv6_local", lines.ifconfig_ipv6->address.to_string());
    environment.set("ifconfig_ipv6_netbits", lines.ifconfig_ipv6->length);
    if (lines.ifconfig_ipv6->peer) {
      environment.set("ifconfig_ipv6_remote", lines.ifconfig_ipv6->peer->to_string());
    }
  }
  if (lines.route_gateway) {
    environment.set("route_vpn_gateway", lines.route_gateway->to_string());
  } else if (lines.ifconfig && lines.topology != "subnet") {
    environment.set("route_vpn_gateway", lines.ifconfig->netmask_or_peer.to_string());
  }
}

void add_routes(Environment& environment, const NetworkLines& lines) {
  std::size_t v4 = 0;
  std::size_t v6 = 0;
  for (const RouteLine& route : lines.routes) {
    if (route.destination != RouteLine::Place::Address) continue;
    const bool ipv4 = route.network.address.is_v4();
    const bool is_named = route.gateway == RouteLine::Place::Address;
    if (ipv4) {
      ++v4;
      environment.set("route_network", v4, route.network.address.to_string());
      environment.set("route_netmask", v4, route.network.netmask_text());
      if (is_named) environment.set("route_gateway", v4, route.gateway_address.to_string());
      if (route.metric) environment.set("route_metric", v4, *route.metric);
    } else {
      ++v6;
      environment.set("route_ipv6_network", v6, route.network.to_string());
      if (is_named) environment.set("route_ipv6_gateway", v6, route.gateway_address.to_string());
    }
  }
  if (lines.redirect.all_traffic) environment.set("redirect_gateway", 1);
}

/// `dns` lines, in the words of OpenVPN 2.6.
void add_dns(Environment& environment, const DnsLines& dns) {
  std::size_t number = 0;
  for (const std::string& option : dns.foreign_options()) {
    environment.set("foreign_option", ++number, option);
  }
  number = 0;
  for (const std::string& domain : dns.search_domains()) {
    environment.set("dns_search_domain", ++number, domain);
  }
  std::size_t server_number = 0;
  for (const DnsServer& server : dns.servers()) {
    const std::string prefix = fmt::format("dns_server_{}", ++server_number);
    number = 0;
    for (const Endpoint& address : server.addresses) {
      environment.set(prefix + "_address", ++number, address.address.to_string());
      if (address.port != 0) environment.set(prefix + "_port", number, address.port);
    }
    number = 0;
    for (const std::string& domain : server.resolve_domains) {
      environment.set(prefix + "_resolve_domain", ++number, domain);
    }
  }
}

}  // namespace

std::vector<std::string> ClientScripts::environment(const Facts& facts,
                                                    const ClientNetwork& network,
                                                    const ClientConfig& config) {
  Environment environment;
  environment.set("dev", facts.device);
  environment.set("dev_type", "tun");
  environment.set("tun_mtu", network.link.mtu);
  add_server(environment, facts.server, config);
  add_addresses(environment, network.lines);
  add_routes(environment, network.lines);
  add_dns(environment, network.lines.dns);
  std::vector<std::string> entries = environment.take();
  // Last, so that the profile wins.
  const std::vector<std::string>& own = config.scripts.environment;
  entries.insert(entries.end(), own.begin(), own.end());
  return entries;
}

std::vector<std::string> ClientScripts::arguments(const Facts& facts,
                                                  const ClientNetwork& network) {
  const auto& ifconfig = network.lines.ifconfig;
  // The link's MTU, which OpenVPN gave here, has been 0 since 2.6.
  return {facts.device, std::to_string(network.link.mtu), "0",
          ifconfig ? ifconfig->address.to_string() : std::string(),
          ifconfig ? ifconfig->netmask_or_peer.to_string() : std::string()};
}

ClientScripts::ClientScripts(Facts facts, const ClientNetwork& network, const ClientConfig& config,
                             CommandQueue& commands)
    : scripts_(config.scripts),
      environment_(environment(facts, network, config)),
      arguments_(arguments(facts, network)),
      server_(facts.server),
      commands_(commands) {
  arguments_.emplace_back("init");
}

std::optional<Command> ClientScripts::command(std::string_view type, const std::string& script,
                                              const std::vector<std::string>& arguments) const {
  if (script.empty()) return std::nullopt;
  if (scripts_.security < kSecurityForScripts) {
    log::warning("`{}` is not run: write `script-security 2` to allow scripts", type);
    return std::nullopt;
  }
  auto words = split_config_words(script, std::string(type));
  if (!words || words->empty()) {
    log::warning("`{}` is not run: its command cannot be split into words", type);
    return std::nullopt;
  }
  Command command{.words = std::move(*words), .input = {}, .environment = environment_};
  command.words.insert(command.words.end(), arguments.begin(), arguments.end());
  command.environment.push_back(fmt::format("script_type={}", type));
  command.environment.emplace_back("script_context=init");
  return command;
}

void ClientScripts::run_up() {
  if (auto up = command("up", scripts_.up, arguments_)) {
    commands_.add(std::move(*up), [this](const CommandEnd& end) {
      if (end.succeeded()) return log::info("`up` is done");
      failure_ = Error{
          .what = fmt::format("`up` failed (status {}): {}", end.status, log::escape(end.output)),
          .where = scripts_.up,
          .advice = "correct the script, or delete the line"};
    });
  }
  run("route-up", scripts_.route_up, {});
  const std::string port = std::to_string(server_.port);
  run("ipchange", scripts_.ipchange, {server_.address.to_string(), port});
}

void ClientScripts::run_before_down() {
  run("route-pre-down", scripts_.route_pre_down, arguments_);
  commands_.finish();
}

void ClientScripts::run_down() {
  run("down", scripts_.down, arguments_);
  commands_.finish();
}

void ClientScripts::run(std::string_view type, const std::string& script,
                        const std::vector<std::string>& arguments) {
  auto prepared = command(type, script, arguments);
  if (!prepared) return;
  commands_.add(std::move(*prepared), [name = std::string(type)](const CommandEnd& end) {
    if (end.succeeded()) return log::info("`{}` is done", name);
    log::warning("`{}` failed (status {}): {}", name, end.status, log::escape(end.output));
  });
}

}  // namespace ringway

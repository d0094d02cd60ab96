#include "control/client_dns.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace ringway {
namespace {

using Security = DnsServer::Security;
using Transport = DnsServer::Transport;

constexpr std::string_view kResolvectl = "resolvectl";
constexpr std::string_view kResolvconf = "resolvconf";

/// "10.8.0.1", "10.8.0.1:5353#name", "[fd00::1]:53".
std::string resolvectl_address(const Endpoint& address, const DnsServer& server) {
  std::string text = address.port == 0 ? address.address.to_string() : address.to_string();
  if (!server.server_name.empty()) text += "#" + server.server_name;
  return text;
}

std::string_view dnssec_word(Security security) {
  switch (security) {
    case Security::Unset: return {};
    case Security::No: return "no";
    case Security::Optional: return "allow-downgrade";
    case Security::Yes: return "yes";
  }
  return {};
}

/// systemd-resolved keeps one set of servers a link.
void plan_resolvectl(DnsPlan& plan, const std::string& device, const DnsServer* server,
                     const std::vector<std::string>& search) {
  const auto add = [&](std::string verb, std::vector<std::string> values) {
    std::vector<std::string> words = {std::string(kResolvectl), std::move(verb), device};
    words.insert(words.end(), values.begin(), values.end());
    plan.commands.push_back({.words = std::move(words)});
  };
  std::vector<std::string> domains = search;
  if (server != nullptr) {
    std::vector<std::string> addresses;
    for (const Endpoint& address : server->addresses) {
      addresses.push_back(resolvectl_address(address, *server));
    }
    add("dns", addresses);
    for (const std::string& domain : server->resolve_domains) domains.push_back("~" + domain);
    // "~." leads all names here that no other link claims.
    if (server->resolve_domains.empty()) domains.emplace_back("~.");
    add("default-route", {server->resolve_domains.empty() ? "yes" : "no"});
    if (const auto word = dnssec_word(server->dnssec); !word.empty()) {
      add("dnssec", {std::string(word)});
    }
    if (server->transport == Transport::Tls) add("dnsovertls", {"yes"});
  }
  if (!domains.empty()) add("domain", domains);
}

/// resolvconf takes lines of resolv.conf.
void plan_resolvconf(DnsPlan& plan, const std::string& device, const DnsServer* server,
                     const std::vector<std::string>& search) {
  std::string text;
  if (server != nullptr) {
    for (const Endpoint& address : server->addresses) {
      if (address.port != 0 && address.port != 53) {
        plan.notes.push_back(fmt::format(
            "the name server {} is left aside: resolvconf knows no ports", address.to_string()));
        continue;
      }
      text += fmt::format("nameserver {}\n", address.address.to_string());
    }
    if (!server->resolve_domains.empty()) {
      plan.notes.emplace_back(
          "resolvconf cannot ask a name server about some domains only: it is asked about all");
    }
  }
  if (!search.empty()) text += fmt::format("search {}\n", fmt::join(search, " "));
  if (text.empty()) return;
  plan.commands.push_back(
      {.words = {std::string(kResolvconf), "-a", device + ".ringway"}, .input = text});
}

std::string summary(const DnsLines& dns) {
  std::vector<std::string> words;
  for (const DnsServer& server : dns.servers()) {
    for (const Endpoint& address : server.addresses) {
      words.push_back(address.port == 0 ? address.address.to_string() : address.to_string());
    }
  }
  for (const std::string& domain : dns.search_domains()) words.push_back(domain);
  return fmt::format("{}", fmt::join(words, " "));
}

}  // namespace

DnsPlan DnsPlan::make(DnsProgram program, const std::string& device, const DnsLines& dns) {
  DnsPlan plan;
  const std::vector<DnsServer> servers = dns.servers();
  const bool knows_tls = program == DnsProgram::Resolvectl;
  const auto first = std::ranges::find_if(servers, [&](const DnsServer& server) {
    return server.transport == Transport::Plain ||
           (server.transport == Transport::Tls && knows_tls);
  });
  for (const DnsServer& server : servers) {
    if (first != servers.end() && server.id == first->id) continue;
    plan.notes.push_back(fmt::format(
        "`dns server {}` is left aside: {}", server.id,
        server.transport == Transport::Plain || (server.transport == Transport::Tls && knows_tls)
            ? "the first server that this system can ask is set"
            : "this system cannot ask it over that transport"));
  }
  const DnsServer* server = first == servers.end() ? nullptr : &*first;
  const std::vector<std::string> search = dns.search_domains();
  if (program == DnsProgram::Resolvectl) plan_resolvectl(plan, device, server, search);
  if (program == DnsProgram::Resolvconf) plan_resolvconf(plan, device, server, search);
  return plan;
}

std::string dns_deed(DnsProgram program, const std::string& device) {
  if (program == DnsProgram::Resolvectl) return fmt::format("{} {}", kResolvectl, device);
  return fmt::format("{} {}.ringway", kResolvconf, device);
}

std::optional<Command> dns_undo(std::string_view deed) {
  const std::size_t blank = std::min(deed.find(' '), deed.size());
  const std::string program(deed.substr(0, blank));
  const std::string name(deed.substr(std::min(blank + 1, deed.size())));
  if (name.empty() || name.find(' ') != std::string::npos || name.starts_with('-')) {
    return std::nullopt;
  }
  if (program == kResolvectl) return Command{.words = {program, "revert", name}};
  if (program == kResolvconf) return Command{.words = {program, "-d", name}};
  return std::nullopt;
}

void ClientDns::set(const DnsLines& dns) {
  if (dns.empty()) return;
  const std::string resolvectl(kResolvectl);
  const auto set_otherwise = [this, dns] {
    set_by(has_program(std::string(kResolvconf)) ? DnsProgram::Resolvconf : DnsProgram::None, dns);
  };
  if (!has_program(resolvectl)) return set_otherwise();
  // The program alone says nothing: systemd-resolved must run.
  commands_.add({.words = {resolvectl, "status"}}, [=, this](const CommandEnd& end) {
    end.succeeded() ? set_by(DnsProgram::Resolvectl, dns) : set_otherwise();
  });
}

void ClientDns::set_by(DnsProgram program, const DnsLines& dns) {
  if (program == DnsProgram::None) {
    log::warning(
        "name servers are not set ({}): neither systemd-resolved nor resolvconf is here — install "
        "one of them, or write them into /etc/resolv.conf yourself",
        summary(dns));
    return;
  }
  const DnsPlan plan = DnsPlan::make(program, device_, dns);
  for (const std::string& note : plan.notes) log::warning("{}", note);
  if (plan.commands.empty()) return;
  deed_ = dns_deed(program, device_);
  journal_.note(deed_);
  for (const Command& command : plan.commands) {
    const std::string line = fmt::format("{}", fmt::join(command.words, " "));
    commands_.add(command, [line](const CommandEnd& end) {
      if (end.succeeded()) return log::info("{}", line);
      log::warning(
          "name servers are not all set: `{}` failed: {} — systemd-resolved and resolvconf want "
          "root, or a policy of polkit",
          line, log::escape(end.output));
    });
  }
}

ClientDns::~ClientDns() {
  commands_.finish();
  if (deed_.empty()) return;
  const auto undo = dns_undo(deed_);
  const CommandEnd end = undo ? run_command(*undo) : CommandEnd{};
  if (end.succeeded()) {
    journal_.strike(deed_);
  } else {
    log::warning("name servers are not taken back, `{}` is undone at the next start: {}", deed_,
                 log::escape(end.output));
  }
}

}  // namespace ringway

#include "control/config/dns_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace ringway {
namespace {

constexpr std::size_t kDomainSizeMax = 253;

template <typename Number>
std::optional<Number> number(std::string_view text) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// "ADDRESS", "ADDRESS:PORT" for IPv4, "[ADDRESS]:PORT" for IPv6.
std::optional<Endpoint> endpoint(std::string_view text) {
  if (const auto plain = IpAddress::parse(text)) return Endpoint{.address = *plain, .port = 0};
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const bool has_brackets = host.starts_with('[') && host.ends_with(']');
  if (has_brackets) host = host.substr(1, host.size() - 2);
  const auto address = IpAddress::parse(host);
  const auto port = number<std::uint16_t>(text.substr(colon + 1));
  if (!address || !port || *port == 0 || address->is_v4() == has_brackets) return std::nullopt;
  return Endpoint{.address = *address, .port = *port};
}

std::unexpected<std::string> no_domain(std::string_view text) {
  return std::unexpected(fmt::format("does not name a domain by `{}`", text));
}

/// Appends those of `domains` that are not there yet.
std::expected<bool, std::string> append(std::vector<std::string>& to,
                                        std::span<const std::string> domains) {
  for (const std::string& domain : domains) {
    if (!is_domain_name(domain)) return no_domain(domain);
    if (std::ranges::find(to, domain) != to.end()) continue;
    if (to.size() == DnsLines::kDomainsMax) {
      return std::unexpected(fmt::format("is more than {} domains", DnsLines::kDomainsMax));
    }
    to.push_back(domain);
  }
  return true;
}

std::expected<bool, std::string> set_addresses(DnsServer& server,
                                               std::span<const std::string> texts) {
  for (const std::string& text : texts) {
    const auto address = endpoint(text);
    if (!address) return std::unexpected(fmt::format("does not name a server by `{}`", text));
    if (server.addresses.size() == DnsServer::kAddressesMax) {
      return std::unexpected(fmt::format("is more than {} addresses", DnsServer::kAddressesMax));
    }
    server.addresses.push_back(*address);
  }
  return true;
}

std::expected<bool, std::string> set_dnssec(DnsServer& server, std::string_view value) {
  if (value == "yes") {
    server.dnssec = DnsServer::Security::Yes;
  } else if (value == "optional") {
    server.dnssec = DnsServer::Security::Optional;
  } else if (value == "no") {
    server.dnssec = DnsServer::Security::No;
  } else {
    return std::unexpected("is not yes, optional or no");
  }
  return true;
}

std::expected<bool, std::string> set_transport(DnsServer& server, std::string_view value) {
  if (value == "plain") {
    server.transport = DnsServer::Transport::Plain;
  } else if (value == "DoT") {
    server.transport = DnsServer::Transport::Tls;
  } else if (value == "DoH") {
    server.transport = DnsServer::Transport::Https;
  } else {
    return std::unexpected("is not plain, DoT or DoH");
  }
  return true;
}

}  // namespace

bool is_domain_name(std::string_view text) {
  return !text.empty() && text.size() <= kDomainSizeMax && text.front() != '-' &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '-' || c == '_';
         });
}

std::expected<bool, std::string> DnsLines::add(std::span<const std::string> words) {
  if (words[0] == "dhcp-option") return add_dhcp_option(words);
  if (words.size() >= 3 && words[1] == "search-domains") return append(search_, words.subspan(2));
  if (words.size() >= 5 && words[1] == "server") return add_server(words);
  return std::unexpected("is neither `dns search-domains DOMAIN...` nor `dns server N ...`");
}

std::expected<bool, std::string> DnsLines::add_dhcp_option(std::span<const std::string> words) {
  const std::string text = fmt::format("{}", fmt::join(words, " "));
  if (foreign_.size() < kForeignMax && std::ranges::find(foreign_, text) == foreign_.end()) {
    foreign_.push_back(text);
  }
  if (words.size() != 3) {
    if (words.size() == 2) return false;  // DISABLE-NBT and the like, of Windows.
    return std::unexpected("is not `dhcp-option TYPE VALUE`");
  }
  const std::string& type = words[1];
  if (type == "DOMAIN" || type == "ADAPTER_DOMAIN_SUFFIX" || type == "DOMAIN-SEARCH") {
    return append(dhcp_domains_, words.subspan(2));
  }
  if (type != "DNS" && type != "DNS6") return false;
  const auto address = IpAddress::parse(words[2]);
  if (!address || (type == "DNS6" && address->is_v4())) {
    return std::unexpected("does not name a server by its address");
  }
  const Endpoint server{.address = *address, .port = 0};
  if (std::ranges::find(dhcp_addresses_, server) != dhcp_addresses_.end()) return true;
  if (dhcp_addresses_.size() == DnsServer::kAddressesMax) {
    return std::unexpected(fmt::format("is more than {} name servers", DnsServer::kAddressesMax));
  }
  dhcp_addresses_.push_back(server);
  return true;
}

/// `dns server N KIND VALUE...`.
std::expected<bool, std::string> DnsLines::add_server(std::span<const std::string> words) {
  const auto id = number<int>(words[2]);
  if (!id || *id < -128 || *id > 127) return std::unexpected("has no number from -128 to 127");
  auto server = std::ranges::find(servers_, *id, &DnsServer::id);
  if (server == servers_.end()) {
    if (servers_.size() == kServersMax) {
      return std::unexpected(fmt::format("is more than {} servers", kServersMax));
    }
    servers_.push_back({.id = *id});
    server = servers_.end() - 1;
  }
  const std::string& kind = words[3];
  const std::span<const std::string> values = words.subspan(4);
  if (kind == "address") return set_addresses(*server, values);
  if (kind == "resolve-domains") return append(server->resolve_domains, values);
  if (kind == "dnssec") return set_dnssec(*server, values[0]);
  if (kind == "transport") return set_transport(*server, values[0]);
  if (kind == "sni") {
    if (!is_domain_name(values[0])) return no_domain(values[0]);
    server->server_name = values[0];
    return true;
  }
  return std::unexpected("knows address, resolve-domains, dnssec, transport and sni");
}

void DnsLines::merge(const DnsLines& pushed) {
  for (const DnsServer& server : pushed.servers_) {
    const auto same = std::ranges::find(servers_, server.id, &DnsServer::id);
    if (same != servers_.end()) {
      *same = server;
    } else {
      servers_.push_back(server);
    }
  }
  const auto append_new = [](auto& to, const auto& from) {
    for (const auto& one : from) {
      if (std::ranges::find(to, one) == to.end()) to.push_back(one);
    }
  };
  append_new(search_, pushed.search_);
  append_new(dhcp_addresses_, pushed.dhcp_addresses_);
  append_new(dhcp_domains_, pushed.dhcp_domains_);
  append_new(foreign_, pushed.foreign_);
}

std::vector<DnsServer> DnsLines::servers() const {
  std::vector<DnsServer> sorted = servers_;
  // OpenVPN asks for an address of each; one without says nothing.
  std::erase_if(sorted, [](const DnsServer& server) { return server.addresses.empty(); });
  std::ranges::stable_sort(sorted, {}, &DnsServer::id);
  if (sorted.empty() && !dhcp_addresses_.empty()) {
    sorted.push_back(DnsServer{});
    sorted.back().addresses = dhcp_addresses_;
  }
  return sorted;
}

std::vector<std::string> DnsLines::search_domains() const {
  return search_.empty() && servers_.empty() ? dhcp_domains_ : search_;
}

}  // namespace ringway

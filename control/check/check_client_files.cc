#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "control/check/address_kind.h"
#include "control/check/inspection.h"
#include "control/config/client_file.h"

/// What single clients get, as far as their files can be read now.
namespace ringway {
namespace {

struct OwnLines {
  std::string name;
  ClientTerms terms;
};

OwnLines read_file(const ClientFileText& file, const TunnelConfig& tunnel, FindingList& findings) {
  OwnLines own{.name = file.name, .terms = {}};
  const ClientLineNotes notes = read_client_lines(file.text, file.where, own.terms);
  std::vector<Error> faults = notes.faults;
  for (Error& fault : check_client_terms(own.terms, tunnel)) faults.push_back(std::move(fault));
  for (const Error& fault : faults) {
    findings.add("client-file-fault",
                 {.where = fault.where,
                  .what = fault.what,
                  .why = fmt::format("{} is refused for as long as the line is there", file.name),
                  .write = fault.advice});
  }
  for (const std::string& line : notes.passed_over) {
    // "file:line: what".
    const std::size_t colon = line.find(": ");
    findings.add(
        "client-line-ignored",
        {.where = line.substr(0, colon), .what = line.substr(colon + 2), .why = "", .write = ""});
  }
  return own;
}

void check_outside(const ClientTerms& terms, const TunnelConfig& tunnel, FindingList& findings) {
  const auto look = [&](const std::string& where, const IpAddress& address,
                        const std::optional<Prefix>& network) {
    if (!network || network->contains(address)) return;
    const bool has_route = std::ranges::any_of(
        tunnel.routes, [&](const Prefix& route) { return route.contains(address); });
    findings.add("client-address-outside",
                 {.where = where,
                  .what = fmt::format("{} is outside of the tunnel's network {}",
                                      address.to_string(), network->to_string()),
                  .why = has_route ? "clients without a route for it do not reach it"
                                   : "this host sends nothing for it into the tunnel",
                  .write = fmt::format("an address of {}", network->to_string())});
  };
  if (terms.v4) look(terms.v4->where, terms.v4->address, tunnel.network_v4);
  if (terms.v6) look(terms.v6->where, terms.v6->address, tunnel.network_v6);
}

std::string route_line(const Prefix& network) {
  if (!network.address.is_v4()) return fmt::format("`route-ipv6 {}`", network.to_string());
  return fmt::format("`route {} {}`", network.address.to_string(), network.netmask_text());
}

/// The host's own routes lead to the device; those of the tunnel's networks are there anyway.
bool is_led_here(const Prefix& network, const TunnelConfig& tunnel) {
  const auto holds = [&](const Prefix& route) { return route.contains(network); };
  if (std::ranges::any_of(tunnel.routes, holds)) return true;
  return (tunnel.network_v4 && holds(*tunnel.network_v4)) ||
         (tunnel.network_v6 && holds(*tunnel.network_v6));
}

void check_routes(const ConfigDraft& draft, const ClientTerms& terms, FindingList& findings) {
  for (const ClientRoute& route : terms.routes) {
    if (route.network.length == 0 || is_led_here(route.network, draft.config.tunnel)) continue;
    findings.add(
        "iroute-without-route",
        {.where = route.where,
         .what = fmt::format("no `route` of the server's leads to {}", route.network.to_string()),
         .why = "the kernel sends what is for it elsewhere, and the client gets nothing",
         .write = route_line(route.network) + " into " + draft.config.source});
  }
}

/// Where two files claim the same.
class Claims {
 public:
  void add_address(const std::string& name, const std::string& where, const IpAddress& address,
                   FindingList& findings) {
    const auto [at, is_new] = addresses_.try_emplace(address, name);
    if (is_new) return;
    findings.add("client-address-twice",
                 {.where = where,
                  .what = fmt::format("{} is fixed for {} and for {}", address.to_string(),
                                      at->second, name),
                  .why = "whoever of them comes second is refused",
                  .write = "another address"});
  }
  void add_route(const std::string& name, const ClientRoute& route, FindingList& findings) {
    for (const auto& [network, other] : networks_) {
      if (other == name || !overlap(network, route.network)) continue;
      const bool is_same = network == route.network;
      findings.add(
          "iroute-twice",
          {.where = route.where,
           .what = fmt::format("{} is behind {}, and {} behind {}", route.network.to_string(), name,
                               network.to_string(), other),
           .why = is_same ? "whoever of them came last has it, and the other one stands in when it "
                            "is gone"
                          : "the smaller network is led to its own client, and the rest to the "
                            "other",
           .write = "a network of its own for each"});
      break;
    }
    networks_.emplace_back(route.network, name);
  }

 private:
  std::map<IpAddress, std::string> addresses_;
  std::vector<std::pair<Prefix, std::string>> networks_;
};

}  // namespace

void check_client_files(const Inspection& inspection, FindingList& findings) {
  if (inspection.client_files == nullptr) return;
  const ConfigDraft& draft = inspection.survey.draft;
  Claims claims;
  for (const ClientFileText& file : *inspection.client_files) {
    const OwnLines own = read_file(file, draft.config.tunnel, findings);
    check_outside(own.terms, draft.config.tunnel, findings);
    check_routes(draft, own.terms, findings);
    if (own.terms.v4) {
      claims.add_address(own.name, own.terms.v4->where, own.terms.v4->address, findings);
    }
    if (own.terms.v6) {
      claims.add_address(own.name, own.terms.v6->where, own.terms.v6->address, findings);
    }
    for (const ClientRoute& route : own.terms.routes) claims.add_route(own.name, route, findings);
  }
}

}  // namespace ringway

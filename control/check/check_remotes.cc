#include <fmt/format.h>

#include <algorithm>

#include "control/check/inspection.h"

/// The servers that a profile names.
namespace ringway {
namespace {

void check_answer(const RemoteConfig& remote, const NameAnswer& answer, FindingList& findings) {
  const auto has = [&](bool v4) {
    return std::ranges::any_of(answer.addresses,
                               [&](const IpAddress& address) { return address.is_v4() == v4; });
  };
  if (answer.addresses.empty()) {
    findings.add("remote-not-found",
                 {.where = remote.where,
                  .what = fmt::format("{} has no address{}", remote.host,
                                      answer.problem.empty() ? "" : ": " + answer.problem),
                  .why = "the client will not connect",
                  .write = "a name that can be looked up, or the server's address"});
    return;
  }
  if (!has(false)) {
    findings.add(
        "remote-no-aaaa",
        {.where = remote.where,
         .what = fmt::format("{} has no IPv6 address (AAAA record)", remote.host),
         .why = "the client goes by IPv4 alone: behind DS-Lite through the provider's NAT, "
                "and to a server behind DS-Lite not at all",
         .write = "an AAAA record for the name with the server's global IPv6 address"});
  }
  if (!has(true)) {
    findings.add("remote-no-a",
                 {.where = remote.where,
                  .what = fmt::format("{} has no IPv4 address (A record)", remote.host),
                  .why = "clients in networks without IPv6 cannot connect",
                  .write = "an A record, if the server has a public IPv4 address"});
  }
}

/// The one family that a server is tried over.
LinkFamily family_of(const RemoteConfig& remote) {
  const auto literal = IpAddress::parse(remote.host);
  if (!literal) return remote.family;
  return literal->is_v4() ? LinkFamily::V4Only : LinkFamily::V6Only;
}

}  // namespace

void check_remotes(const Inspection& inspection, FindingList& findings) {
  const ConfigDraft& draft = inspection.survey.draft;
  for (const RemoteConfig& remote : draft.profile.servers) {
    const LinkFamily family = family_of(remote);
    // A line for each family is how OpenVPN's clients are told of both.
    const bool has_other =
        std::ranges::any_of(draft.profile.servers,
                            [&](const RemoteConfig& other) { return family_of(other) != family; });
    if (family != LinkFamily::Both && !has_other) {
      const bool is_v4 = family == LinkFamily::V4Only;
      findings.add("remote-one-family",
                   {.where = remote.where,
                    .what = fmt::format("`remote {}` is tried over {} alone", remote.host,
                                        is_v4 ? "IPv4" : "IPv6"),
                    .why = is_v4 ? "a server behind DS-Lite or CGN is not reached over IPv4"
                                 : "in a network without IPv6 the server is not reached",
                    .write = "the server's name, with `proto udp`, which takes either family"});
    }
    if (inspection.host == nullptr) continue;
    const auto answer = inspection.host->names.find(remote.host);
    if (answer != inspection.host->names.end()) check_answer(remote, answer->second, findings);
  }
}

}  // namespace ringway

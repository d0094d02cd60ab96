#include "control/check/finding.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/check.h"

namespace ringway {
namespace {

using enum Severity;

constexpr std::array kKinds = {
    FindingKind{"refused-option", Error,
                "An option that Ringway refuses, with the parser's words."},
    FindingKind{"config-error", Error, "Any other fault of a line, or of lines together."},
    FindingKind{"file-unreadable", Error, "A file that the configuration names cannot be read."},
    FindingKind{"local-missing", Error, "`local` names an address that this machine lacks."},
    FindingKind{"local-name-missing", Error, "`local` names what has no address."},
    FindingKind{"bind-dev-missing", Error, "`bind-dev` names an interface that is not there."},
    FindingKind{"remote-not-found", Error, "`remote` names what has no address."},
    FindingKind{"cert-unreadable", Error, "A certificate, key or revocation list is none."},
    FindingKind{"cert-expired", Error, "A certificate's time is over."},
    FindingKind{"cert-not-yet-valid", Error, "A certificate's time has not come."},
    FindingKind{"key-mismatch", Error, "The private key is not that of the certificate."},
    FindingKind{"crl-expired", Error, "The revocation list's time is over: nobody gets in."},
    FindingKind{"user-missing", Error, "`user` or `group` names nobody."},
    FindingKind{"io-uring-off", Error, "The kernel denies io_uring."},
    FindingKind{"tun-missing", Error, "There is no /dev/net/tun."},
    FindingKind{"kernel-old", Error, "The kernel is older than Linux 6.1."},
    FindingKind{"ipv6-not-served", Warning, "No listener serves IPv6."},
    FindingKind{"local-loopback", Warning, "A listener that this machine alone can reach."},
    FindingKind{"mssfix-too-big", Warning,
                "Sizes written by hand exceed what PPPoE or DS-Lite carry whole."},
    FindingKind{"no-public-ipv4", Warning,
                "The host's IPv4 is shared (CGN, DS-Lite): clients must use IPv6."},
    FindingKind{"no-global-ipv6", Warning,
                "The host has neither a public IPv4 nor a global IPv6 address."},
    FindingKind{"remote-no-aaaa", Warning, "The profile's host has no IPv6 address."},
    FindingKind{"server-unverified", Warning,
                "Any certificate of the authority may pose as the server."},
    FindingKind{"cert-expires", Warning, "A certificate ends within 30 days."},
    FindingKind{"crl-expires", Warning, "The revocation list ends within 7 days."},
    FindingKind{"cert-role", Warning,
                "The certificate lacks the role that the other end may ask for."},
    FindingKind{"key-weak", Warning, "A key that is too short."},
    FindingKind{"signature-weak", Warning, "A certificate signed with MD5 or SHA-1."},
    FindingKind{"key-exposed", Warning, "Others can read a secret file."},
    FindingKind{"pool-overlaps-host", Warning,
                "The tunnel's network overlaps one of this machine's."},
    FindingKind{"push-overlaps-pool", Warning, "A pushed route overlaps the tunnel's network."},
    FindingKind{"push-covers-server", Warning,
                "A pushed route leads clients' way to the server into the tunnel."},
    FindingKind{"pool-small", Warning, "The pool has fewer addresses than `max-clients`."},
    FindingKind{"no-tls-wrap", Warning, "No `tls-crypt` or `tls-auth`: strangers get an answer."},
    FindingKind{"keepalive-missing", Warning, "Nobody notices that the other end is gone."},
    FindingKind{"keepalive-long", Warning, "Pings are rarer than a NAT's memory is long."},
    FindingKind{"redirect-ipv4-only", Warning,
                "`redirect-gateway` leaves IPv6 outside the tunnel."},
    FindingKind{"duplicate-cn-persist", Warning,
                "Leases are kept by name, and several clients have one name."},
    FindingKind{"client-file-fault", Warning,
                "A client is refused, because its own lines cannot be had."},
    FindingKind{"client-address-twice", Warning, "One address is fixed for several clients."},
    FindingKind{"client-address-outside", Warning,
                "A client's fixed address is outside of the tunnel's network."},
    FindingKind{"iroute-without-route", Warning,
                "This host leads nothing to a network that is behind a client."},
    FindingKind{"iroute-twice", Warning, "One network is behind several clients."},
    FindingKind{"ip-forward-off", Warning, "The kernel does not forward IPv4."},
    FindingKind{"ipv6-forward-off", Warning, "The kernel does not forward IPv6."},
    FindingKind{"accept-ra", Warning,
                "Forwarding makes an interface forget the route that a router advertises."},
    FindingKind{"firewall-drops", Warning, "No rule lets packets to a listener's port in."},
    FindingKind{"forward-drops", Warning, "No rule lets tunnel packets through."},
    FindingKind{"conntrack-full", Warning, "The table of connections is nearly full."},
    FindingKind{"user-cannot-read", Warning,
                "The user that the server becomes cannot read what it will need."},
    FindingKind{"user-cannot-write", Warning,
                "The user that the server becomes cannot write what it will need."},
    FindingKind{"memlock-low", Warning, "Keys may be swapped out."},
    FindingKind{"start-note", Advice, "What start-up would say besides."},
    FindingKind{"ipv4-not-served", Advice, "No listener serves IPv4."},
    FindingKind{"local-dynamic", Advice, "A listener's address has a lifetime."},
    FindingKind{"tun-mtu-by-hand", Advice, "`tun-mtu` is smaller than it has to be."},
    FindingKind{"nat-ipv4", Advice, "The host's IPv4 addresses are private: a router must help."},
    FindingKind{"remote-no-a", Advice, "The profile's host has no IPv4 address."},
    FindingKind{"remote-one-family", Advice, "The profile tries one family alone."},
    FindingKind{"pool-common", Advice, "The tunnel's network is what many homes have."},
    FindingKind{"rp-filter", Advice, "Strict reverse-path filtering with several interfaces."},
    FindingKind{"no-masquerade", Advice,
                "All IPv4 traffic is led here, and no rule translates its addresses."},
    FindingKind{"listener", Info, "What a listener will serve, by family."},
    FindingKind{"proto-udp-both", Info, "`proto udp` is IPv4 for OpenVPN, and both families here."},
    FindingKind{"bindv6only", Info, "What net.ipv6.bindv6only is, and that it has no effect."},
    FindingKind{"local-name", Info, "The addresses of a name in `local`."},
    FindingKind{"mssfix-default", Info, "What Ringway does about sizes by itself."},
    FindingKind{"firewall-accepts", Info, "A rule lets packets to a listener's port in."},
    FindingKind{"firewall-unread", Info, "The firewall could not be read."},
    FindingKind{"user-kept", Info, "What is kept when `user` takes root away."},
    FindingKind{"client-line-ignored", Info, "A line of a client's own that does nothing."},
    FindingKind{"dco", Info, "Lines to which OpenVPN's data channel offload would not be true."},
    FindingKind{"no-effect", Info, "An option that is accepted and changes nothing."},
};

const FindingKind* kind_of(std::string_view id) {
  const auto* kind = std::ranges::find(kKinds, id, &FindingKind::id);
  return kind == kKinds.end() ? nullptr : kind;
}

}  // namespace

std::span<const FindingKind> finding_kinds() { return kKinds; }

std::string_view name_of(Severity severity) {
  switch (severity) {
    case Info: return "info";
    case Advice: return "advice";
    case Warning: return "warning";
    case Error: return "error";
  }
  return "";
}

std::string finding_reference() {
  std::string text = "| id | severity | when |\n| --- | --- | --- |\n";
  for (const FindingKind& kind : kKinds) {
    text += fmt::format("| `{}` | {} | {} |\n", kind.id, name_of(kind.severity), kind.meaning);
  }
  return text;
}

void FindingList::add(std::string_view id, Words words) {
  const FindingKind* kind = kind_of(id);
  RW_ASSERT(kind != nullptr);
  findings_.push_back({.id = kind->id,
                       .severity = kind->severity,
                       .where = std::move(words.where),
                       .what = std::move(words.what),
                       .why = std::move(words.why),
                       .write = std::move(words.write)});
}

std::vector<Finding> FindingList::take() {
  std::ranges::stable_sort(findings_, std::ranges::greater{}, &Finding::severity);
  return std::move(findings_);
}

}  // namespace ringway

#include "control/check/address_kind.h"

namespace ringway {
namespace {

bool is_in(const IpAddress& address, std::string_view network) {
  return Prefix::parse(network)->contains(address);
}

}  // namespace

AddressKind kind_of(const IpAddress& address) {
  for (const char* network : {"127.0.0.0/8", "::1/128"}) {
    if (is_in(address, network)) return AddressKind::Loopback;
  }
  for (const char* network : {"169.254.0.0/16", "fe80::/10"}) {
    if (is_in(address, network)) return AddressKind::LinkLocal;
  }
  for (const char* network : {"100.64.0.0/10", "192.0.0.0/29"}) {
    if (is_in(address, network)) return AddressKind::Shared;
  }
  for (const char* network : {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"}) {
    if (is_in(address, network)) return AddressKind::Private;
  }
  return AddressKind::Public;
}

bool overlap(const Prefix& a, const Prefix& b) {
  return a.address.is_v4() == b.address.is_v4() && (a.contains(b) || b.contains(a));
}

}  // namespace ringway

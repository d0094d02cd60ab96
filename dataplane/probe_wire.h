#pragma once

#include <memory>

#include "base/address.h"
#include "base/unique_fd.h"
#include "dataplane/offload_probe.h"

namespace ringway {

enum class ProbeFamily : std::uint8_t {
  V4,
  V6,
  V4OnDualStack,  ///< v4-mapped addresses on an AF_INET6 socket, as most of the link's
};

/// SHELL: two UDP sockets on loopback, bound to free ports; what others send there is not taken.
class LoopbackWire : public ProbeWire {
 public:
  /// Nothing where there is no such address.
  static std::unique_ptr<LoopbackWire> open(ProbeFamily family);

  int send(Bytes bytes, std::size_t segment_size) override;
  std::optional<ProbePiece> receive(Instant deadline) override;
  int set_gro(bool on) override;
  bool knows_gso() override;

 private:
  LoopbackWire(UniqueFd from, UniqueFd to, const Endpoint& destination, bool is_ipv6)
      : from_(std::move(from)),
        to_(std::move(to)),
        destination_{.remote = destination, .local = {}},
        is_ipv6_(is_ipv6) {}
  UniqueFd from_;
  UniqueFd to_;
  LinkEndpoint destination_;
  bool is_ipv6_;
};

/// SHELL: over loopback in both families on dual-stack sockets, as the link's are, or in IPv4 alone
/// where the kernel has no IPv6. Both have to work: clients of both share a socket. Takes a
/// millisecond or two, and at most `patience` where loopback is down or filtered.
LinkOffloadProof probe_link_offloads(Duration patience = 200ms);

}  // namespace ringway

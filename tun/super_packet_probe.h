#pragma once

#include <cstdint>

namespace ringway {

/// What a test of a kernel feature has shown.
enum class Proof : std::uint8_t {
  Works,
  Unproven,  ///< the machine gave no answer; it may work
  Fails,
};

struct SuperPacketProof {
  Proof tcp = Proof::Unproven;
  Proof udp = Proof::Unproven;
};

/// Whether the kernel takes TCP (TSO4, TSO6) and UDP (UDP_L4) super-packets with unfinished
/// checksums from a queue of a TUN device, of both families.
///
/// SHELL. The device must be down: the kernel reads the header first, and says EINVAL if it does
/// not understand it; then it sees that the device is down, says EIO, and drops the packet. So
/// nothing reaches the network. A header that no kernel knows is the check on the check: unless it
/// is refused, everything is Unproven. Does not block.
SuperPacketProof prove_super_packets(int queue_fd);

/// The two answers that count, for the control frame and for those of one kind. Errnos, or 0 for a
/// write that was taken. Pure.
[[nodiscard]] Proof judge_super_packets(int unknown_kind, int v4, int v6);

}  // namespace ringway

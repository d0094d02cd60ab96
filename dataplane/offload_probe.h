#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "dataplane/gso_batch.h"
#include "tun/super_packet_probe.h"

/// Tries UDP_SEGMENT and UDP_GRO at start, before any client depends on them: a known burst goes
/// through two throw-away sockets over loopback, and has to come out byte for byte. Pure, but for
/// the ProbeWire; dataplane/probe_wire.h has the real one.
namespace ringway {

/// What was sent by one call: `count` datagrams of `size` bytes and a shorter one. Pure.
class ProbeBurst {
 public:
  /// `salt` makes the bytes of this burst differ from those of every other.
  ProbeBurst(std::size_t count, std::size_t size, std::uint32_t salt);
  [[nodiscard]] Bytes bytes() const { return bytes_; }
  [[nodiscard]] std::size_t segment_size() const { return size_; }
  [[nodiscard]] std::size_t datagram_count() const { return count_ + 1; }

 private:
  std::size_t count_;
  std::size_t size_;
  std::vector<std::uint8_t> bytes_;
};

/// What one receive call returned: one datagram, or a train of them.
struct ProbePiece {
  std::vector<std::uint8_t> bytes;
  /// From the UDP_GRO control message; 0: none, a single datagram.
  std::size_t segment_size = 0;
  bool truncated = false;
};

/// Takes the pieces one by one and compares them with the burst: the right bytes, in order, cut
/// where they were cut. Pure.
class BurstCheck {
 public:
  explicit BurstCheck(const ProbeBurst& burst) : burst_(burst) {}
  /// False: not what was sent, and nothing after it matters.
  [[nodiscard]] bool take(const ProbePiece& piece);
  [[nodiscard]] bool is_complete() const { return at_ == burst_.bytes().size(); }

 private:
  const ProbeBurst& burst_;
  std::size_t at_ = 0;
};

/// A pair of sockets that the probe talks through; the seam for faults in tests.
class ProbeWire {
 public:
  ProbeWire() = default;
  ProbeWire(const ProbeWire&) = delete;
  ProbeWire& operator=(const ProbeWire&) = delete;
  virtual ~ProbeWire() = default;
  /// One sendmsg; with UDP_SEGMENT unless `segment_size` is 0. Returns 0 or the errno.
  virtual int send(Bytes bytes, std::size_t segment_size) = 0;
  /// Waits until `deadline`; nothing when it passes.
  virtual std::optional<ProbePiece> receive(Instant deadline) = 0;
  /// Returns 0 or the errno.
  virtual int set_gro(bool on) = 0;
  /// Whether the kernel knows the option at all.
  virtual bool knows_gso() = 0;
};

struct LinkOffloadProof {
  Proof gso = Proof::Unproven;
  Proof gro = Proof::Unproven;
  /// As many as one send may carry.
  std::uint16_t segments_max = GsoBatch::kSegmentsMaxOld;
  /// Why, unless everything works. "UDP_SEGMENT over IPv6: ..."
  std::string reason;
};

/// The whole test over one wire; returns by `deadline` and a little. Decides by what the kernel
/// says of the options where loopback carries nothing.
LinkOffloadProof prove_link_offloads(ProbeWire& wire, Instant deadline);

/// The worse of the two. Pure.
[[nodiscard]] LinkOffloadProof worse_of(const LinkOffloadProof& a, const LinkOffloadProof& b);

}  // namespace ringway

#include "dataplane/offload_probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace ringway {
namespace {

/// Sends, and looks at what comes out. Works, Fails, or Unproven when too little came out in time.
struct Outcome {
  Proof proof = Proof::Unproven;
  std::string reason;
};

Outcome carry(ProbeWire& wire, const ProbeBurst& burst, Instant deadline) {
  if (const int error = wire.send(burst.bytes(), burst.segment_size()); error != 0) {
    // No way there, or a filter: that says nothing about the feature.
    const bool is_refusal = error == EINVAL || error == EIO || error == EOPNOTSUPP ||
                            error == ENOPROTOOPT || error == EMSGSIZE;
    return {is_refusal ? Proof::Fails : Proof::Unproven,
            fmt::format("the kernel answers a train with: {}", std::strerror(error))};
  }
  BurstCheck check(burst);
  while (!check.is_complete()) {
    const std::optional<ProbePiece> piece = wire.receive(deadline);
    if (!piece) return {Proof::Unproven, "loopback did not bring a train back in time"};
    if (!check.take(*piece)) return {Proof::Fails, "a train came out otherwise than it went in"};
  }
  return {Proof::Works, {}};
}

/// A lone datagram, to learn whether loopback carries anything at all.
bool carries_plainly(ProbeWire& wire, Instant deadline) {
  const ProbeBurst burst(0, 100, 0);
  if (wire.send(burst.bytes(), 0) != 0) return false;
  BurstCheck check(burst);
  const std::optional<ProbePiece> piece = wire.receive(deadline);
  return piece && check.take(*piece) && check.is_complete();
}

/// The largest train of old and of new kernels. A refusal leaves nothing on the wire.
std::uint16_t count_segments(ProbeWire& wire, Instant deadline) {
  const ProbeBurst burst(GsoBatch::kSegmentsMax - 1, 64, 3);
  return carry(wire, burst, deadline).proof == Proof::Works ? GsoBatch::kSegmentsMax
                                                            : GsoBatch::kSegmentsMaxOld;
}

}  // namespace

ProbeBurst::ProbeBurst(std::size_t count, std::size_t size, std::uint32_t salt)
    : count_(count), size_(size), bytes_(count * size + size - size / 3) {
  std::uint32_t state = salt * 2'654'435'761U + 12'345;
  for (std::uint8_t& byte : bytes_) {
    state = state * 1'664'525 + 1'013'904'223;
    byte = static_cast<std::uint8_t>(state >> 24);
  }
}

bool BurstCheck::take(const ProbePiece& piece) {
  const Bytes left = burst_.bytes().subspan(at_);
  if (piece.truncated || piece.bytes.empty() || piece.bytes.size() > left.size()) return false;
  if (!std::ranges::equal(piece.bytes, left.first(piece.bytes.size()))) return false;
  at_ += piece.bytes.size();
  const std::size_t size = burst_.segment_size();
  // Every piece begins at the start of a datagram and has to end at the end of one.
  if (!is_complete() && piece.bytes.size() % size != 0) return false;
  if (piece.segment_size != 0) return piece.segment_size == size;
  return piece.bytes.size() <= size;
}

LinkOffloadProof prove_link_offloads(ProbeWire& wire, Instant deadline) {
  constexpr std::size_t kCount = 10;
  constexpr std::size_t kSize = 1200;
  LinkOffloadProof proof;
  if (!wire.knows_gso()) {
    proof.gso = Proof::Fails;
    proof.reason = "the kernel has no UDP_SEGMENT";
  }
  if (const int error = wire.set_gro(true); error != 0) {
    proof.gro = Proof::Fails;
    proof.reason = fmt::format("the kernel refuses UDP_GRO: {}", std::strerror(error));
  }
  if (wire.set_gro(false) != 0 || !carries_plainly(wire, deadline)) {
    if (proof.reason.empty()) proof.reason = "loopback carries nothing";
    return proof;
  }
  if (proof.gso == Proof::Fails) return proof;

  const Outcome gso = carry(wire, ProbeBurst(kCount, kSize, 1), deadline);
  proof.gso = gso.proof;
  if (gso.proof != Proof::Works) {
    proof.reason = "UDP_SEGMENT: " + gso.reason;
    return proof;
  }
  proof.segments_max = count_segments(wire, deadline);
  if (proof.gro == Proof::Fails || wire.set_gro(true) != 0) return proof;
  const Outcome gro = carry(wire, ProbeBurst(kCount, kSize, 2), deadline);
  proof.gro = gro.proof;
  if (gro.proof != Proof::Works) proof.reason = "UDP_GRO: " + gro.reason;
  return proof;
}

LinkOffloadProof worse_of(const LinkOffloadProof& a, const LinkOffloadProof& b) {
  return {.gso = std::max(a.gso, b.gso),
          .gro = std::max(a.gro, b.gro),
          .segments_max = std::min(a.segments_max, b.segments_max),
          .reason = a.reason.empty() ? b.reason : a.reason};
}

}  // namespace ringway

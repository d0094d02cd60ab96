#pragma once

#include <expected>

#include "base/drop.h"
#include "dataplane/channel/key_state.h"
#include "dataplane/channel/packet_header.h"

/// The AEAD data packet of the short packet-id format. Pure; nothing is allocated.
///
///     DATA_V2   [opcode|key_id][peer_id 3][packet_id 4][tag 16][ciphertext]
///     DATA_V1   [opcode|key_id]           [packet_id 4][tag 16][ciphertext]
///
/// The tag stands first. Associated data is what stands before the tag; but DATA_V1 leaves its
/// opcode out.
namespace ringway {

/// What a header of `header_size` bytes, the packet id and the tag add to a payload.
constexpr std::size_t data_overhead(std::size_t header_size) {
  return header_size + sizeof(PacketId) + kAeadTagSize;
}
inline constexpr std::size_t kDataOverheadMax = data_overhead(DataHeader::kSizeMax);

/// Builds the packet in `out` and returns the part used. `payload` lies outside `out`, or where the
/// ciphertext will be: data_overhead(header.size()) bytes into it. Drop::KeyExhausted, or
/// Drop::TooBig when `out` is too small; in both cases no packet id is spent.
std::expected<MutableBytes, Drop> seal_packet(KeyState& key, const DataHeader& header,
                                              Bytes payload, MutableBytes out);

/// Opens `datagram`, whose parsed header is `header`, in place and returns the payload inside it.
/// Drop::Truncated, Drop::BadTag, Drop::Replay or Drop::KeyExhausted; the bytes behind the tag are
/// then undefined.
std::expected<MutableBytes, Drop> open_packet(KeyState& key, const DataHeader& header,
                                              MutableBytes datagram);

}  // namespace ringway

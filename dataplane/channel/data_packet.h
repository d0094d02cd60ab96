#pragma once

#include <expected>

#include "base/drop.h"
#include "dataplane/channel/key_state.h"
#include "dataplane/channel/packet_header.h"

/// The AEAD data packet. Pure; nothing is allocated.
///
///     DATA_V2   [opcode|key_id][peer_id 3][packet_id 4][tag 16][ciphertext]
///     DATA_V1   [opcode|key_id]           [packet_id 4][tag 16][ciphertext]
///     epochs    [opcode|key_id][peer_id 3][epoch 2][counter 6][ciphertext][tag 16]
///
/// The tag stands first, but last in the epoch format, which is one of DATA_V2 alone. Associated
/// data is what stands before the tag, and before the ciphertext; but DATA_V1 leaves its opcode
/// out.
namespace ringway {

inline constexpr std::size_t kShortPacketIdSize = 4;
inline constexpr std::size_t kEpochPacketIdSize = 8;

/// What a header of `header_size` bytes, a short packet id and the tag add to a payload, all of it
/// in front.
constexpr std::size_t data_overhead(std::size_t header_size) {
  return header_size + kShortPacketIdSize + kAeadTagSize;
}
/// What the epoch format adds, and how much of it in front.
inline constexpr std::size_t kEpochPayloadOffset = DataHeader::kSizeMax + kEpochPacketIdSize;
inline constexpr std::size_t kEpochOverhead = kEpochPayloadOffset + kAeadTagSize;
inline constexpr std::size_t kDataOverheadMax = kEpochOverhead;
static_assert(kDataOverheadMax >= data_overhead(DataHeader::kSizeMax));

/// Builds the packet in `out` and returns the part used. `payload` lies outside `out`, or where the
/// ciphertext will be: data_overhead(header.size()) bytes into it, or kEpochPayloadOffset, as the
/// key has it. Drop::KeyExhausted, or Drop::TooBig when `out` is too small; in both cases no packet
/// id is spent. Asserts that a key of the epoch format is used for DATA_V2.
std::expected<MutableBytes, Drop> seal_packet(KeyState& key, const DataHeader& header,
                                              Bytes payload, MutableBytes out);

/// Opens `datagram`, whose parsed header is `header`, in place and returns the payload inside it.
/// Drop::Truncated, Drop::BadTag, Drop::Replay, Drop::KeyExhausted, or Drop::UnknownKey for an
/// epoch that is not to be opened; the ciphertext is then undefined.
std::expected<MutableBytes, Drop> open_packet(KeyState& key, const DataHeader& header,
                                              MutableBytes datagram);

}  // namespace ringway

#include "dataplane/stream_framing.h"

#include <algorithm>

#include "base/check.h"

namespace ringway {

std::expected<std::optional<MutableBytes>, Drop> take_framed(MutableBytes& stream,
                                                             std::size_t datagram_size_max) {
  if (stream.size() < kFrameHeaderSize) return std::nullopt;
  const std::size_t size = load_be16(stream.data());
  if (size == 0) return std::unexpected(Drop::Truncated);
  if (size > datagram_size_max) return std::unexpected(Drop::Oversize);
  if (stream.size() - kFrameHeaderSize < size) return std::nullopt;
  const MutableBytes datagram = stream.subspan(kFrameHeaderSize, size);
  stream = stream.subspan(kFrameHeaderSize + size);
  return datagram;
}

void write_frame_header(MutableBytes to, std::size_t size) {
  RW_ASSERT(to.size() >= kFrameHeaderSize);
  RW_ASSERT(size > 0);
  RW_ASSERT(size <= 0xffff);
  store_be16(to.data(), static_cast<std::uint16_t>(size));
}

MutableBytes StreamRest::join(MutableBytes memory) {
  RW_ASSERT(memory.size() >= capacity_);
  const MutableBytes joined = memory.subspan(capacity_ - size_);
  std::ranges::copy(Bytes(bytes_.get(), size_), joined.begin());
  size_ = 0;
  return joined;
}

void StreamRest::keep(Bytes rest) {
  RW_ASSERT(rest.size() <= capacity_);
  std::ranges::copy(rest, bytes_.get());
  size_ = rest.size();
}

}  // namespace ringway

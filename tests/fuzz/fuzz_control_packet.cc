#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "dataplane/admission/control_packet.h"

// Whatever decodes must encode to the bytes that it came from, and keep its limits.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ringway;
  const Bytes input(data, size);
  const auto packet = decode_control_packet(input);
  if (!packet) {
    RW_ASSERT(packet.error() < Drop::kCount);
    return 0;
  }
  RW_ASSERT(packet->ack_count <= ControlPacket::kAcksMax);
  RW_ASSERT(packet->payload.size() <= ControlPacket::kPayloadSizeMax);
  RW_ASSERT(!packet->sender.is_zero());

  std::array<std::uint8_t, ControlPacket::kHeaderSizeMax + ControlPacket::kPayloadSizeMax> buffer;
  ByteWriter writer(buffer);
  encode_control_packet(*packet, writer);

  RW_ASSERT(!writer.overflowed());
  // Only an acknowledgement may be followed by bytes that mean nothing.
  RW_ASSERT(packet->has_message() ? writer.size() == size : writer.size() <= size);
  RW_ASSERT(std::ranges::equal(writer.written(), input.first(writer.size())));
  return 0;
}

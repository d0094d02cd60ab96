#include "dataplane/channel/path_probe.h"

#include <algorithm>

#include "base/check.h"

namespace ringway {
namespace {

constexpr std::uint8_t kMtuRequest = 4;
constexpr std::uint8_t kMtuReply = 5;

}  // namespace

void write_mtu_request(MutableBytes out) {
  RW_ASSERT(out.size() >= kMtuRequestSizeMin);
  std::ranges::copy(kOccMagic, out.begin());
  out[kOccMagic.size()] = kMtuRequest;
  std::ranges::fill(out.subspan(kMtuRequestSizeMin), std::uint8_t{0});
}

std::array<std::uint8_t, kMtuReplySize> make_mtu_reply(std::uint16_t received) {
  std::array<std::uint8_t, kMtuReplySize> reply{};
  std::ranges::copy(kOccMagic, reply.begin());
  reply[kOccMagic.size()] = kMtuReply;
  store_be16(reply.data() + kOccMagic.size() + 1, received);
  // What we sent in our life says nothing about this path.
  store_be16(reply.data() + kOccMagic.size() + 3, received);
  return reply;
}

std::uint16_t read_mtu_reply(Bytes payload) {
  RW_ASSERT(payload.size() == kMtuReplySize);
  return load_be16(payload.data() + kOccMagic.size() + 1);
}

}  // namespace ringway

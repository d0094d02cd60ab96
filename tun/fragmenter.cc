#include "tun/fragmenter.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "tun/checksum.h"

namespace ringway {
namespace {

constexpr std::size_t kTotalLength = 2;
constexpr std::size_t kFragmentWord = 6;
constexpr std::size_t kHeaderChecksum = 10;
constexpr std::uint16_t kDontFragment = 0x4000;
constexpr std::uint16_t kMoreFragments = 0x2000;
constexpr std::uint16_t kOffsetMask = 0x1fff;
/// Offsets count in these.
constexpr std::size_t kUnit = 8;

constexpr std::uint8_t kEndOfOptions = 0;
constexpr std::uint8_t kNoOperation = 1;
/// The first bit of an option's type: it goes into every fragment.
constexpr std::uint8_t kCopied = 0x80;

std::uint16_t fragment_word(const IpPacket& ip) {
  return load_be16(ip.bytes.data() + kFragmentWord);
}

constexpr std::size_t units_in(std::size_t size) { return size / kUnit * kUnit; }

}  // namespace

bool may_be_fragmented(const IpPacket& ip) {
  return ip.is_v4() && (fragment_word(ip) & kDontFragment) == 0;
}

std::optional<Fragmenter> Fragmenter::start(const IpPacket& ip, std::size_t limit) {
  RW_ASSERT(limit >= kLimitMin);
  if (!may_be_fragmented(ip)) return std::nullopt;
  Fragmenter fragmenter(ip);
  fragmenter.limit_ = limit;
  fragmenter.payload_size_ = ip.payload().size();
  if (ip.has_options) fragmenter.find_copied_options();
  if (fragmenter.left_count() > kFragmentsMax) return std::nullopt;
  return fragmenter;
}

/// A list that is malformed is copied as far as it is understood.
void Fragmenter::find_copied_options() {
  const Bytes options = ip_.bytes.first(ip_.header_size).subspan(kIpv4HeaderMin);
  std::size_t copied_size = 0;
  for (std::size_t at = 0; at < options.size();) {
    const std::uint8_t type = options[at];
    if (type == kEndOfOptions) break;
    if (type == kNoOperation) {
      ++at;
      continue;
    }
    if (at + 1 == options.size()) break;
    const std::size_t size = options[at + 1];
    if (size < 2 || size > options.size() - at) break;
    if ((type & kCopied) != 0) {
      std::memcpy(copied_options_.data() + copied_size, options.data() + at, size);
      copied_size += size;
    }
    at += size;
  }
  // What pads the last word is zero, the end of the list.
  later_header_ = kIpv4HeaderMin + (copied_size + 3) / 4 * 4;
}

std::size_t Fragmenter::next_header() const {
  return written_ == 0 ? ip_.header_size : later_header_;
}

std::size_t Fragmenter::next_payload() const {
  const std::size_t room = limit_ - next_header();
  const std::size_t left = payload_size_ - written_;
  return left <= room ? left : units_in(room);
}

std::size_t Fragmenter::left_count() const {
  if (is_done_) return 0;
  const std::size_t first = next_payload();
  const std::size_t left = payload_size_ - written_ - first;
  const std::size_t room = limit_ - later_header_;
  if (left == 0) return 1;
  // The last takes what its room has, also where that is no multiple of eight.
  const std::size_t each = units_in(room);
  const std::size_t beyond_last = left > room ? left - room : 0;
  return 1 + (beyond_last + each - 1) / each + 1;
}

std::size_t Fragmenter::next_size() const {
  if (is_done_) return 0;
  return next_header() + next_payload();
}

MutableBytes Fragmenter::write_next(MutableBytes out) {
  const std::size_t size = next_size();
  RW_ASSERT(size > 0);
  RW_ASSERT(out.size() >= size);
  const std::size_t header = next_header();
  const std::size_t payload = next_payload();
  const MutableBytes fragment = out.first(size);
  if (written_ == 0) {
    std::memcpy(fragment.data(), ip_.bytes.data(), header);
  } else {
    std::memcpy(fragment.data(), ip_.bytes.data(), kIpv4HeaderMin);
    std::memcpy(fragment.data() + kIpv4HeaderMin, copied_options_.data(), header - kIpv4HeaderMin);
    fragment[0] = static_cast<std::uint8_t>(0x40 | header / 4);
  }
  std::memcpy(fragment.data() + header, ip_.payload().data() + written_, payload);

  const std::uint16_t whole = fragment_word(ip_);
  is_done_ = written_ + payload == payload_size_;
  const std::size_t offset = (whole & kOffsetMask) + written_ / kUnit;
  RW_ASSERT(offset <= kOffsetMask);  // parse_ip_packet() has added it up.
  auto word = static_cast<std::uint16_t>((whole & ~kOffsetMask) | offset);
  if (!is_done_) word |= kMoreFragments;
  store_be16(fragment.data() + kFragmentWord, word);
  store_be16(fragment.data() + kTotalLength, static_cast<std::uint16_t>(size));
  store_be16(fragment.data() + kHeaderChecksum, 0);
  store_be16(fragment.data() + kHeaderChecksum, checksum_of(fragment.first(header)));
  written_ += payload;
  return fragment;
}

}  // namespace ringway

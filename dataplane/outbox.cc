#include "dataplane/outbox.h"

#include <utility>

#include "base/check.h"
#include "tun/fragmenter.h"
#include "tun/vnet_header.h"

namespace ringway {

static_assert(Outbox::kHeadroom >= kVnetHeaderSize);

Outbox::Outbox(const TooBigAnswers::Settings& settings, BufferPool& pool, Counters& counters)
    : answers_(settings), pool_(pool), counters_(counters) {
  items_.reserve(kPacketsMax);
}

void Outbox::answer(Segmenter segmenter, MutableBytes frame, const Occasion& occasion) {
  // Segments that are smaller than their headers fit every path.
  if (!segmenter.can_cut_in_place()) return counters_.add(Counter::TooBigUnanswered);
  const std::expected<IpPacket, Drop> first = parse_ip_packet(segmenter.next_in_place(frame));
  RW_ASSERT(first.has_value());  // The segmenter's own.
  answer(*first, occasion);
}

void Outbox::answer(const IpPacket& about, const Occasion& occasion) {
  std::optional<PacketBuffer> buffer = take_buffer();
  if (!buffer) return counters_.add(Counter::TooBigUnanswered);
  const std::optional<MutableBytes> packet =
      answers_.answer(buffer->bytes().subspan(kHeadroom), about, occasion);
  if (!packet) return counters_.add(Counter::TooBigUnanswered);
  counters_.add(Counter::TooBigAnswers);
  add(std::move(*buffer), *packet, occasion.to);
}

bool Outbox::fragment(const IpPacket& packet, std::size_t limit) {
  std::optional<Fragmenter> fragmenter = Fragmenter::start(packet, limit);
  if (!fragmenter) return false;
  counters_.add(Counter::InnerFragmentedPackets);
  while (fragmenter->next_size() > 0) {
    std::optional<PacketBuffer> buffer = take_buffer();
    if (!buffer) {
      // Without one of them the others are worth nothing.
      counters_.add(Drop::NoBuffer);
      return true;
    }
    const MutableBytes fragment = fragmenter->write_next(buffer->bytes().subspan(kHeadroom));
    counters_.add(Counter::InnerFragments);
    add(std::move(*buffer), fragment, Occasion::To::Tun);
  }
  return true;
}

std::optional<PacketBuffer> Outbox::take_buffer() {
  if (items_.size() == kPacketsMax) return std::nullopt;
  return pool_.take();
}

void Outbox::add(PacketBuffer buffer, MutableBytes packet, Occasion::To to) {
  items_.push_back({.buffer = std::move(buffer), .packet = packet, .to = to});
}

Outbox::Item Outbox::take() {
  RW_ASSERT(!is_empty());
  Item item = std::move(items_[first_++]);
  if (is_empty()) {
    items_.clear();
    first_ = 0;
  }
  return item;
}

}  // namespace ringway

#include "perf/src/wire/nic.h"

#include <unistd.h>

#include <algorithm>

namespace ringway::wire {

Result<Nic> Nic::open(const Settings& settings) {
  Result<TunDevice> device =
      TunDevice::open({.name = settings.name, .queue_count = settings.queue_count});
  if (!device) return std::unexpected(device.error());
  Result<LinkConfig> config = LinkConfig::open(device->name());
  if (!config) return std::unexpected(config.error());
  LinkSettings link = settings.link;
  link.tx_queue_length = kQueueLength;
  if (const auto applied = config->apply(link); !applied) {
    return std::unexpected(applied.error());
  }
  return Nic(std::move(*device));
}

Result<void> Nic::set_offloads(const TunOffloads& offloads) {
  return device_.set_offloads(offloads);
}

bool Nic::write(Bytes frame) {
  return ::write(device_.queue_fd(0), frame.data(), frame.size()) ==
         static_cast<ssize_t>(frame.size());
}

std::optional<Nic::Frame> Nic::read(MutableBytes room) {
  for (std::uint16_t tried = 0; tried < device_.queue_count();) {
    const ssize_t size = ::read(device_.queue_fd(next_queue_), room.data(), room.size());
    if (size <= 0) {
      next_queue_ = static_cast<std::uint16_t>((next_queue_ + 1) % device_.queue_count());
      ++tried;
      continue;
    }
    const MutableBytes frame = room.first(static_cast<std::size_t>(size));
    const auto header = parse_vnet_header(frame);
    if (header) return Frame{.header = *header, .packet = frame.subspan(kVnetHeaderSize)};
  }
  return std::nullopt;
}

}  // namespace ringway::wire

#pragma once

#include <vector>

#include "dataplane/datapath.h"

namespace ringway::test {

/// A packet of the TUN through the downlink as a worker takes it there, as far as one worker's: the
/// sealed datagram in `out`, whose it is instead, or why it died. `self` is the datapath's worker.
inline Verdict seal_for_peer(Datapath& datapath, WorkerId self, Bytes packet, MutableBytes out,
                             Instant now) {
  std::vector<std::uint8_t> own(packet.begin(), packet.end());
  std::expected<RoutedFrame, Drop> frame = datapath.route_frame({}, own);
  if (!frame) return Verdict::dropped(frame.error());
  if (frame->owner != self) return Verdict::to_worker(frame->owner);
  const std::expected<PeerTarget, Drop> target = datapath.target_of(*frame);
  if (!target) return Verdict::dropped(target.error());
  const std::size_t size = target->seal_overhead() + frame->segmenter.next_size();
  const auto datagram = datapath.seal_next(*frame, *target, own, out.first(size), now);
  if (!datagram) return Verdict::dropped(datagram.error());
  return Verdict::to_link(*datagram, target->endpoint());
}

}  // namespace ringway::test

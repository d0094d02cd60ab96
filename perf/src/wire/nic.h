#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "tun/link_config.h"
#include "tun/tun_device.h"
#include "tun/vnet_header.h"

namespace ringway::wire {

/// A network card of the machine under test, played from behind: what is written here arrives at
/// the machine, and what the machine sends is read here. A TUN device; the wire is this process.
///
/// SHELL: one thread. Removed with the object.
class Nic {
 public:
  struct Settings {
    std::string name;
    std::uint16_t queue_count = 1;
    LinkSettings link;
  };
  /// Long enough that a burst of either direction fits: a full queue drops without a word.
  static constexpr std::uint32_t kQueueLength = 20'000;
  /// Header and packet.
  static constexpr std::size_t kFrameMax = kVnetHeaderSize + 65535;

  static Result<Nic> open(const Settings& settings);

  [[nodiscard]] const std::string& name() const { return device_.name(); }
  /// Whether the machine may hand us super-packets (TSO, and USO where `udp`) with unfinished
  /// checksums, or has to cut and finish them first. Error: the kernel has no such offload.
  Result<void> set_offloads(const TunOffloads& offloads);

  /// False when the kernel did not take the frame: virtio header and packet.
  [[nodiscard]] bool write(Bytes frame);

  struct Frame {
    VnetHeader header;
    /// As much of the packet as there was room for.
    MutableBytes packet;
  };
  /// The next frame from any queue, cut off where `room` ends; nothing when there is none, which is
  /// not waited for: waking us would be charged to the server. Frames that are no frames are
  /// skipped.
  [[nodiscard]] std::optional<Frame> read(MutableBytes room);

 private:
  explicit Nic(TunDevice device) : device_(std::move(device)) {}

  TunDevice device_;
  /// Where read() looks first: the queue of the last frame, until it is empty.
  std::uint16_t next_queue_ = 0;
};

}  // namespace ringway::wire

#pragma once

#include <span>
#include <vector>

#include "base/bytes.h"
#include "dataplane/offloads.h"
#include "tun/vnet_header.h"

namespace ringway::test {

constexpr Offloads kNone = {.link_gso = false, .link_gro = false, .tun = {}};
constexpr Offloads kAll = {
    .link_gso = true, .link_gro = true, .tun = {.checksum = true, .tcp = true, .udp = true}};

/// A packet as it goes through a TUN with offloads.
inline std::vector<std::uint8_t> with_header(const VnetHeader& header, Bytes packet) {
  std::vector<std::uint8_t> frame(kVnetHeaderSize);
  write_vnet_header(std::span(frame).first<kVnetHeaderSize>(), header);
  frame.insert(frame.end(), packet.begin(), packet.end());
  return frame;
}

}  // namespace ringway::test

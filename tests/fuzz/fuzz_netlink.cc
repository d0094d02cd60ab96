#include <libmnl/libmnl.h>
#include <linux/netlink.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "base/check.h"
#include "base/cursor.h"
#include "control/address_watch.h"
#include "control/network_watch.h"
#include "tun/host_links.h"
#include "tun/host_routes.h"

// The kernel's answers about interfaces, addresses and routes, and its news. The first byte says as
// which of them the rest is read; lengths that are in the way of what lies behind are made right
// where its lowest bit says so, and always those that libmnl takes for negative.
//   - addresses belong to interfaces, and what the log says of a change is within its limit;
//   - a route has a network that can be looked up, and is the same read from its text;
//   - news are of what they say.

namespace ringway {
namespace {

/// Aligned as the kernel's are, and not a byte longer than they, which have all of the last word:
/// libmnl looks for attributes there, whatever the size of the message says.
struct Messages {
  explicit Messages(Bytes given) : bytes(given.begin(), given.end()) {
    bytes.resize(NLMSG_ALIGN(bytes.size()));
  }
  std::vector<std::uint8_t> bytes;
};

/// The sizes of messages that would end behind the last byte, or before their own header: `all` of
/// them, or those above 2^31, which libmnl follows backwards. The kernel sends neither.
void repair_sizes(std::span<std::uint8_t> bytes, bool all) {
  for (std::size_t at = 0; at + sizeof(nlmsghdr) <= bytes.size();) {
    const std::size_t left = bytes.size() - at;
    std::uint32_t size = 0;
    std::memcpy(&size, &bytes[at], sizeof size);
    const bool is_wrong = size < sizeof(nlmsghdr) || size > left;
    if (is_wrong && !all && size <= INT32_MAX) return;
    if (is_wrong) {
      size = static_cast<std::uint32_t>(std::min<std::size_t>(left, 64));
      std::memcpy(&bytes[at], &size, sizeof size);
    }
    at += NLMSG_ALIGN(size);
  }
}

template <typename Take>
void each_message(Bytes bytes, Take take) {
  const mnl_cb_t call = [](const nlmsghdr* message, void* context) -> int {
    (*static_cast<Take*>(context))(*message);
    return MNL_CB_OK;
  };
  mnl_cb_run(bytes.data(), bytes.size(), 0, 0, call, &take);
}

std::vector<HostLink> read_links(Bytes bytes) {
  std::vector<HostLink> links;
  each_message(bytes, [&](const nlmsghdr& message) { take_link_message(message, links); });
  return links;
}

/// The first half is what the host had, the second what it has.
std::size_t half_of(Bytes bytes) {
  return std::min<std::size_t>(NLMSG_ALIGN(bytes.size() / 2), bytes.size());
}

void watch_links(Bytes bytes) {
  ServerConfig config;
  config.listen = {{.address = IpAddress::parse("192.0.2.1")},
                   {.address = IpAddress::parse("2001:db8::1")},
                   {.address = std::nullopt, .family = LinkFamily::V6Only}};
  config.outside.device = "eth0";
  const std::size_t half = half_of(bytes);
  AddressWatch watch(config, "tun0", read_links(bytes.first(half)));
  watch.handle_links(read_links(bytes.subspan(half)), Instant{1000s});
  watch.handle_links({}, Instant{1001s});
  std::size_t count = 0;
  while (const auto note = watch.poll_note()) {
    RW_ASSERT(!note->text.empty());
    ++count;
  }
  RW_ASSERT(count <= AddressWatch::kNotesPerWindow);
}

void read_routes(Bytes bytes) {
  std::vector<HostRoute> routes;
  each_message(bytes, [&](const nlmsghdr& message) { take_route_message(message, routes); });
  for (const HostRoute& route : routes) {
    RW_ASSERT(route.destination.length <= (route.destination.address.is_v4() ? 32 : 128));
    RW_ASSERT(!route.is_unreachable || route.device == 0);
    const bool is_network = Prefix::parse(route.destination.to_string()) == route.destination;
    const auto again = HostRoute::parse(route.to_string());
    RW_ASSERT(again.has_value() == is_network);
    RW_ASSERT(!again || *again == route);
  }
  for (const char* place : {"192.0.2.1", "2001:db8::1", "fe80::1"}) {
    const IpAddress address = *IpAddress::parse(place);
    const HostRoute* way = find_route(routes, address, 7);
    RW_ASSERT(way == nullptr || (way->device != 7 && way->destination.contains(address)));
  }
}

void read_news(Bytes bytes) {
  NetworkWatch::Change change;
  change.add(bytes);
  bool gained = false;
  bool lost = false;
  each_message(bytes, [&](const nlmsghdr& message) {
    gained = gained || message.nlmsg_type == 20 || message.nlmsg_type == 24;
    lost = lost || message.nlmsg_type == 21 || message.nlmsg_type == 25;
  });
  // The library stops at the end of a dump and at errors, of which news have none.
  RW_ASSERT(!gained || change.gained);
  RW_ASSERT(!lost || change.lost);
}

}  // namespace
}  // namespace ringway

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ringway;
  if (size == 0) return 0;
  Messages messages(Bytes(data, size).subspan(1));
  const unsigned what = data[0] / 2 % 3;
  const std::span<std::uint8_t> all(messages.bytes);
  const std::size_t first = what == 0 ? half_of(all) : all.size();
  repair_sizes(all.first(first), data[0] % 2 == 1);
  repair_sizes(all.subspan(first), data[0] % 2 == 1);
  switch (what) {
    case 0: watch_links(messages.bytes); break;
    case 1: read_routes(messages.bytes); break;
    default: read_news(messages.bytes); break;
  }
  return 0;
}

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

#include "base/check.h"
#include "base/cursor.h"
#include "dataplane/datagram_train.h"
#include "dataplane/link_message.h"
#include "dataplane/receive_buffers.h"

// A buffer as a multishot recvmsg fills it, read and cut. Its layout is the kernel's word, so that
// nobody remote chooses it; what is wrong all the same costs packets, and no memory. The input: one
// byte of choices, how much payload is added, and the buffer. For any bytes holds:
//   - the datagrams of a train are its bytes, each once, in order, and of one size but for a
//   smaller
//     last one (security goal E06);
//   - only a unicast address, or none, is one to answer from;
//   - what was understood can be said to the kernel again, and is understood as the same.

namespace ringway {
namespace {

void cut(MutableBytes payload, std::size_t segment_size) {
  DatagramTrain train(payload, segment_size);
  const std::size_t count = train.count_left();
  RW_ASSERT(count >= 1 && count <= std::max<std::size_t>(payload.size(), 1));
  std::size_t taken_size = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const MutableBytes datagram = train.take();
    RW_ASSERT(train.count_left() == count - i - 1);
    RW_ASSERT(datagram.data() == payload.data() + taken_size);
    const bool is_last = i + 1 == count;
    if (count > 1) RW_ASSERT(!datagram.empty());
    if (segment_size > 0) RW_ASSERT(datagram.size() <= segment_size);
    if (!is_last) RW_ASSERT(datagram.size() == segment_size);
    taken_size += datagram.size();
  }
  RW_ASSERT(taken_size == payload.size());
}

/// An answer to `from` names what was addressed; read back as the kernel would hand it over, it is
/// the same.
void answer(const LinkEndpoint& from, bool ipv6) {
  if (!ipv6 && !(from.remote.address.is_v4() && from.local.is_v4())) return;
  OutgoingMessage message;
  const std::vector<std::uint8_t> bytes(1);
  message.prepare(from, ipv6, bytes, 1200);
  const msghdr& header = message.header();
  const Bytes name(static_cast<const std::uint8_t*>(header.msg_name), header.msg_namelen);
  const auto remote = decode_socket_name(name);
  RW_ASSERT(remote.has_value());
  RW_ASSERT(*remote == from.remote);
  const Bytes control(static_cast<const std::uint8_t*>(header.msg_control), header.msg_controllen);
  const auto again = decode_link_arrival(name, control, from.listener);
  RW_ASSERT(again.has_value() == !from.local.is_unspecified());
  if (again) RW_ASSERT(again->from == from);
}

/// The kernel's own header made right, so that what lies behind it is reached.
void repair_sizes(std::vector<std::uint8_t>& filled) {
  io_uring_recvmsg_out sizes{};
  std::memcpy(&sizes, filled.data(), sizeof sizes);
  sizes.namelen %= kSocketNameSize + 1;
  sizes.controllen %= kSocketControlSize + 1;
  sizes.payloadlen = static_cast<std::uint32_t>(filled.size() - kReceiveHeadroom);
  sizes.flags = 0;
  std::memcpy(filled.data(), &sizes, sizeof sizes);
}

void receive(Bytes input) {
  ByteReader reader(input);
  const std::uint8_t choices = reader.u8();
  const std::size_t added_size = reader.u16();
  const Bytes given = reader.take(reader.left());
  if (reader.truncated()) return;
  std::vector<std::uint8_t> filled(given.begin(), given.end());
  if (filled.size() >= kReceiveHeadroom) {
    filled.resize(filled.size() + added_size);
    if ((choices & 2) != 0) repair_sizes(filled);
  }
  const std::optional<ReceivedMessage> message = parse_received_message(filled);
  if (!message) return;
  RW_ASSERT(message->payload.size() == filled.size() - kReceiveHeadroom);
  const auto listener = static_cast<std::uint8_t>(choices >> 2);
  const auto arrival = decode_link_arrival(message->name, message->control, listener);
  const auto endpoint = decode_link_endpoint(message->name, message->control, listener);
  RW_ASSERT(arrival.has_value() == endpoint.has_value());
  if (!arrival) return;
  RW_ASSERT(arrival->from == *endpoint);
  RW_ASSERT(arrival->from.listener == listener);
  RW_ASSERT(arrival->ecn <= 3);
  const IpAddress& local = arrival->from.local;
  RW_ASSERT(local.is_v4() ? local.v4_value() >> 28 != 0xe : local.bytes()[0] != 0xff);
  cut(message->payload, arrival->segment_size);
  answer(arrival->from, (choices & 1) != 0);
}

}  // namespace
}  // namespace ringway

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ringway::receive({data, size});
  return 0;
}

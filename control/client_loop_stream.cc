#include "control/client_loop.h"
#include "dataplane/worker_limits.h"

/// What is different for the client's loop when the link is a TCP connection.
namespace ringway {

void ClientLoop::make_stream(TcpSocket& socket) {
  stream_.emplace(
      LinkStreams::Settings{.group = kStreamGroup,
                            .receive_budget = WorkerLimits{}.stream_receive_size,
                            .datagram_size_max = datagram_size_max(settings_.tun_mtu_max)},
      std::span<const TcpListener>(), counters_);
  const auto endpoint = stream_->add(std::move(socket), now_.instant);
  // A socket that is closed already is found to be so in the first turn.
  if (endpoint) server_ = *endpoint;
}

/// As over UDP: what has come stays where it is while the TUN writer has no room, and then TCP
/// slows the server down.
void ClientLoop::drain_stream() {
  while ((!writer_ || writer_->has_room()) && stream_->begin_part()) {
    if (writer_) writer_->begin_buffer(ring_);
    bool is_held = false;
    while (const std::optional<MutableBytes> datagram = stream_->next_datagram()) {
      is_held = handle_datagram(*datagram, 0) || is_held;
    }
    const std::uint32_t buffer = stream_->end_part(is_held);
    if (!is_held) continue;
    writer_->end_buffer({.kind = TunWriter::Hold::Kind::StreamPart, .slot = buffer}, ring_);
  }
  const bool has_ended = stream_->front_ended() != nullptr;
  if (has_ended) stream_->pop_ended();
  if (has_ended || !server_.is_tcp()) core_.handle_connection_ended();
}

bool ClientLoop::has_room_for_control() {
  return stream_ ? stream_->is_ready(server_.connection) : sender_.has_room();
}

bool ClientLoop::is_ready() {
  return stream_ ? stream_->is_ready(server_.connection) : sender_.is_ready(0);
}

MutableBytes ClientLoop::reserve(std::size_t size, std::uint8_t outer_class) {
  return stream_ ? stream_->reserve(server_.connection, size)
                 : sender_.reserve(server_, size, outer_class);
}

void ClientLoop::commit() {
  if (stream_) return stream_->commit();
  sender_.commit();
}

bool ClientLoop::send(Bytes datagram) {
  return stream_ ? stream_->send(server_.connection, datagram)
                 : sender_.send_alone(server_, datagram);
}

}  // namespace ringway

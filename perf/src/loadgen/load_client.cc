#include "perf/src/loadgen/load_client.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace ringway::loadgen {
namespace {

/// Enough for a burst to one client while others are served; ten thousand cost no memory unused.
constexpr int kReceiveBufferSize = 1 << 20;

UniqueFd open_connected(const Endpoint& server) {
  const bool is_v4 = server.address.is_v4();
  UniqueFd fd(::socket(is_v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return {};
  sockaddr_storage storage{};
  socklen_t size = 0;
  if (is_v4) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server.port);
    address.sin_addr.s_addr = htonl(server.address.v4_value());
    std::memcpy(&storage, &address, size = sizeof address);
  } else {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(server.port);
    address.sin6_scope_id = server.scope_id;
    std::ranges::copy(server.address.bytes(), address.sin6_addr.s6_addr);
    std::memcpy(&storage, &address, size = sizeof address);
  }
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBufferSize,
               sizeof kReceiveBufferSize);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&storage), size) != 0) return {};
  return fd;
}

/// "10.8.0.2 255.255.0.0" or "fd00:8::1000/64 fd00:8::1": the first word, without a length.
std::optional<IpAddress> address_in(const PushReply& push, std::string_view option) {
  const std::optional<std::string_view> value = find_option(push, option);
  if (!value) return std::nullopt;
  return IpAddress::parse(value->substr(0, value->find_first_of(" /")));
}

}  // namespace

bool LoadClient::start(const ClientParts& parts, Now now) {
  abandon();
  started_ = now.instant;
  if (!open_socket()) return false;
  core_.emplace(parts.settings, parts.wrap, parts.tls, parts.random, now);
  stage_ = Stage::Connecting;
  pump(now);
  return true;
}

bool LoadClient::move_to_new_port() { return open_socket(); }

bool LoadClient::open_socket() {
  fd_ = open_connected(server_);
  return static_cast<bool>(fd_);
}

void LoadClient::abandon() {
  core_.reset();
  fd_.reset();
  inner_v4_.reset();
  inner_v6_.reset();
  stage_ = Stage::Idle;
}

std::optional<LoadClient::Received> LoadClient::receive(MutableBytes buffer, Now now) {
  const ssize_t size = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
  // What an ICMP message says of an earlier datagram is no reason to stop reading, but ends this
  // round: the socket is still readable if there is more.
  if (size < 0) return std::nullopt;
  if (!core_) return Received{};
  const auto packet = core_->handle_datagram(buffer.first(static_cast<std::size_t>(size)), now);
  return Received{.packet = packet ? packet->packet : Bytes{}};
}

bool LoadClient::send_packet(Bytes packet, Now now) {
  if (!core_) return false;
  std::array<std::uint8_t, ClientCore::kDatagramSizeMax> out;
  const std::optional<Bytes> datagram = core_->handle_packet(packet, out, now);
  return datagram && send(*datagram);
}

void LoadClient::pump(Now now) {
  if (!core_) return;
  std::array<std::uint8_t, ClientCore::kDatagramSizeMax> scratch;
  while (const auto datagram = core_->poll_transmit(scratch, now)) send(*datagram);
}

bool LoadClient::send(Bytes datagram) {
  const ssize_t sent = ::send(fd_.get(), datagram.data(), datagram.size(), MSG_DONTWAIT);
  if (sent >= 0) return true;
  ++send_failures_;
  return false;
}

std::optional<ClientEvent> LoadClient::poll_event(Now now) {
  if (!core_) return std::nullopt;
  std::optional<ClientEvent> event = core_->poll_event();
  if (!event) return std::nullopt;
  if (const auto* connected = std::get_if<ClientConnected>(&*event)) {
    stage_ = Stage::Connected;
    connected_at_ = now.instant;
    inner_v4_ = address_in(connected->push, "ifconfig");
    inner_v6_ = address_in(connected->push, "ifconfig-ipv6");
  } else if (std::holds_alternative<ClientDisconnected>(*event)) {
    stage_ = Stage::Over;
  }
  return event;
}

}  // namespace ringway::loadgen

#include "tests/sim/sim_client.h"

#include <utility>
#include <variant>

namespace ringway::sim {

SimClient::SimClient(const Setup& setup, Outputs outputs, EventLog& log, Now now)
    : endpoint_(setup.endpoint),
      random_(setup.seed),
      outputs_(std::move(outputs)),
      log_(log),
      core_(setup.settings, setup.wrap, setup.tls, random_, now) {
  pump(now);
}

void SimClient::handle_datagram(MutableBytes datagram, Now now) {
  const auto packet = core_.handle_datagram(datagram, now);
  if (packet) outputs_.tun(*this, packet->packet);
  pump(now);
}

bool SimClient::handle_packet(Bytes packet, Now now) {
  std::array<std::uint8_t, ClientCore::kDatagramSizeMax> out;
  const auto datagram = core_.handle_packet(packet, out, now);
  if (datagram) outputs_.link(endpoint_, *datagram);
  pump(now);
  return datagram.has_value();
}

void SimClient::handle_timeout(Now now) {
  core_.handle_timeout(now);
  pump(now);
}

void SimClient::renegotiate(Now now) {
  core_.renegotiate(now);
  pump(now);
}

void SimClient::leave(Now now) {
  core_.leave(now);
  pump(now);
}

void SimClient::pump(Now now) {
  std::array<std::uint8_t, ClientCore::kDatagramSizeMax> scratch;
  while (const auto datagram = core_.poll_transmit(scratch, now)) {
    outputs_.link(endpoint_, *datagram);
  }
  while (const auto event = core_.poll_event()) {
    std::visit([&](const auto& what) { handle(what, now); }, *event);
  }
}

void SimClient::handle(const ClientConnected& event, Now now) {
  log_.add(now.instant, "{} connected", endpoint_.to_string());
  push_ = event.push;
  connected_at_ = now.instant;
  if (const auto value = find_option(push_, "ifconfig")) {
    inner_address_ = IpAddress::parse(value->substr(0, value->find(' ')));
  }
}

void SimClient::handle(const ClientDisconnected& event, Now now) {
  log_.add(now.instant, "{} disconnected: {}", endpoint_.to_string(), event.reason);
  disconnected_ = event;
}

void SimClient::handle(const ClientRekeyed& event, Now now) {
  log_.add(now.instant, "{} has key {}", endpoint_.to_string(), event.key_id.value);
  ++rekeyed_;
}

}  // namespace ringway::sim

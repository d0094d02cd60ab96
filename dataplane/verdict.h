#pragma once

#include "base/address.h"
#include "base/bytes.h"
#include "base/drop.h"
#include "base/ids.h"
#include "tun/ip_packet.h"

namespace ringway {

/// What became of one packet, and what its owner has to do with it. Pure value.
struct Verdict {
  enum class Way : std::uint8_t {
    Dropped,   ///< counted under `drop`
    Consumed,  ///< a ping or another in-band message: nothing to forward
    Tun,       ///< `packet` is to be written to the TUN
    Peer,      ///< `packet` is for another client: give it to handle_packet()
    Link,      ///< `packet` is a sealed datagram, or a stateless answer, for `endpoint`
    Misfit,    ///< `packet` is for the TUN, and larger than it takes: to be cut, or answered
    Control,   ///< the datagram is for the control thread, untouched
    Newcomer,  ///< the same, behind those: its sender has returned a cookie and no more yet
    Worker,    ///< hand what was given in over to `worker`, which owns the session; untouched
  };
  Way way = Way::Dropped;
  Drop drop = Drop::Truncated;
  WorkerId worker;
  /// Lies inside the memory that was given in, but an answer, which is valid until the next call.
  MutableBytes packet;
  /// What parse_ip_packet() made of `packet`; of Way::Tun, Way::Peer and Way::Misfit.
  IpPacket ip;
  LinkEndpoint endpoint;

  static Verdict dropped(Drop drop) { return {.way = Way::Dropped, .drop = drop}; }
  static Verdict consumed() { return {.way = Way::Consumed}; }
  static Verdict control() { return {.way = Way::Control}; }
  static Verdict newcomer() { return {.way = Way::Newcomer}; }
  static Verdict to_worker(WorkerId worker) { return {.way = Way::Worker, .worker = worker}; }
  static Verdict to_tun(MutableBytes packet, const IpPacket& ip) {
    return {.way = Way::Tun, .packet = packet, .ip = ip};
  }
  static Verdict to_peer(MutableBytes packet, const IpPacket& ip) {
    return {.way = Way::Peer, .packet = packet, .ip = ip};
  }
  static Verdict to_link(MutableBytes datagram, const LinkEndpoint& endpoint) {
    return {.way = Way::Link, .packet = datagram, .endpoint = endpoint};
  }
};

}  // namespace ringway

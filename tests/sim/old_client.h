#pragma once

#include <map>
#include <vector>

#include "dataplane/admission/control_packet.h"
#include "dataplane/admission/control_replay.h"
#include "tests/sim/sim_network.h"
#include "tests/sim/world.h"

namespace ringway::sim {

/// Rewrites what the client of a world sends into what clients of 2.4 and 2.5 send, for
/// SimNetwork::set_meddler: the acknowledgement of the server's reset in an ACK_V1 of its own and a
/// ClientHello without any; and no acknowledgement twice, unless the message has come again.
///
/// It sees what the server sent, not what arrived, and so repeats an acknowledgement now and then
/// whose message was lost on its second way.
class OldClient {
 public:
  enum class OneAck { IsSent, IsLost };

  OldClient(World& world, OneAck one_ack) : world_(world), one_ack_(one_ack) {}

  std::vector<Datagram> operator()(Datagram datagram);

  [[nodiscard]] int hellos() const { return hellos_; }

 private:
  void note_message_of_server(Bytes datagram);
  [[nodiscard]] std::vector<Datagram> split_hello(const Datagram& datagram, ControlPacket packet);
  void forget_repeated_acks(ControlPacket& packet);
  [[nodiscard]] Datagram rewrite(Datagram datagram, const ControlPacket& packet);

  World& world_;
  OneAck one_ack_;
  ReplayCounter counter_{1, 1'750'000'000};
  /// How often the server sent each message since it was acknowledged last.
  std::map<MessageId, int> unanswered_;
  int hellos_ = 0;
};

}  // namespace ringway::sim

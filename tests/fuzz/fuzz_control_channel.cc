#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "base/cursor.h"
#include "dataplane/admission/control_packet.h"
#include "tests/support/channel_pair.h"

namespace {

using namespace ringway;
using test::ChannelPair;
using test::ChannelPairSetup;

/// Two honest ends without wrapping, and between them somebody who knows both session ids: he
/// lets some datagrams pass, and makes up others by command.
class Meddler {
 public:
  explicit Meddler(Bytes commands) : commands_(commands), pair_(ChannelPairSetup()) {
    pair_.tap([this](Side sender, std::vector<std::uint8_t>& datagram) {
      (sender == Side::Server ? last_of_server_ : last_of_client_) = datagram;
      RW_ASSERT(datagram.size() + 48 <= 1250);
      return true;
    });
    // How far the handshake is when the meddling begins.
    pair_.run_for(5ms * (commands_.u8() % 16));
  }

  void run() {
    while (commands_.left() > 0 && steps_++ < 200) {
      step();
      pair_.drain();
      pair_.run_for(1ms);
    }
    pair_.run_for(70s);
    check();
  }

 private:
  void step() {
    const Side sender = commands_.u8() % 2 == 0 ? Side::Client : Side::Server;
    switch (commands_.u8() % 8) {
      case 0: return pair_.inject(sender, blob());
      case 1: return pair_.inject(sender, forged(sender));
      case 2: return pair_.inject(sender, damaged(sender));
      case 3: return pair_.run_for(100ms * commands_.u8());
      case 4:
        return pair_.client().send_message(text_of(commands_.take(commands_.u8())), pair_.now());
      case 5: return pair_.client().renegotiate(pair_.now());
      case 6:
        if (pair_.has_server()) pair_.server().renegotiate(pair_.now());
        return;
      case 7:
        if (pair_.has_server()) pair_.server().reject("no", pair_.now());
        return;
    }
  }

  std::vector<std::uint8_t> blob() {
    const Bytes bytes = commands_.take(std::min<std::size_t>(commands_.u16(), commands_.left()));
    return {bytes.begin(), bytes.end()};
  }

  /// A packet of the session with every field to choose.
  std::vector<std::uint8_t> forged(Side sender) {
    const SessionId client = pair_.client().local_session();
    const SessionId server = pair_.client().remote_session();
    if (server.is_zero()) return {};
    ControlPacket packet{.opcode = static_cast<Opcode>(commands_.u8() % 12),
                         .key_id = {static_cast<std::uint8_t>(commands_.u8() % 8)},
                         .sender = sender == Side::Client ? client : server,
                         .ack_count = static_cast<std::uint8_t>(commands_.u8() % 9),
                         .receiver = sender == Side::Client ? server : client,
                         .message_id = {commands_.u8()}};
    for (std::uint8_t i = 0; i < packet.ack_count; ++i) packet.ack_ids[i] = {commands_.u8()};
    const std::vector<std::uint8_t> payload = blob();
    packet.payload = Bytes(payload).first(std::min<std::size_t>(payload.size(), 1500));
    std::vector<std::uint8_t> datagram(2048);
    ByteWriter writer(datagram);
    encode_control_packet(packet, writer);
    datagram.resize(writer.size());
    return datagram;
  }

  /// The last datagram of that end with one byte changed, or cut.
  std::vector<std::uint8_t> damaged(Side sender) {
    std::vector<std::uint8_t> datagram = sender == Side::Server ? last_of_server_ : last_of_client_;
    if (datagram.empty()) return {};
    const std::size_t at = commands_.u16() % datagram.size();
    const std::uint8_t change = commands_.u8();
    if (change == 0) {
      datagram.resize(at);
    } else {
      datagram[at] ^= change;
    }
    return datagram;
  }

  void check() {
    for (const Side side : {Side::Client, Side::Server}) {
      RW_ASSERT(pair_.count<Closed>(side) <= 1);
      RW_ASSERT(pair_.count<PeerLeft>(side) <= 1);
      RW_ASSERT(pair_.count<ControlActive>(side) <= 1);
    }
    // Keys only for whom the server has seen a certificate of its CA.
    RW_ASSERT(pair_.count<KeysReady>(Side::Server) <= pair_.count<AuthRequested>(Side::Server));
    if (const auto* request = pair_.last<AuthRequested>(Side::Server)) {
      RW_ASSERT(request->certificate.common_name == "client1");
    }
  }

  ByteReader commands_;
  ChannelPair pair_;
  std::vector<std::uint8_t> last_of_client_;
  std::vector<std::uint8_t> last_of_server_;
  int steps_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::size_t before = SecretArena::slots_in_use();
  Meddler(Bytes(data, size)).run();
  RW_ASSERT(SecretArena::slots_in_use() == before);
  return 0;
}

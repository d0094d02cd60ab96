#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <variant>
#include <vector>

#include "base/check.h"
#include "base/cursor.h"
#include "dataplane/admission/control_packet.h"
#include "dataplane/admission/early_negotiation.h"
#include "dataplane/admission/handshake_gate.h"
#include "tests/support/seeded_random.h"

// A client's own key (tls-crypt-v2) as strangers bring it, with metadata of any kind, before a
// server that keeps nothing of it. The input: how the packet is made and what is damaged of it, the
// metadata, and a payload. For any of it holds:
//   - a key that was wrapped is unwrapped as it was, with what it says of itself;
//   - of a key or of a packet no byte can be changed, added or left out: all is dropped;
//   - nobody is let in by a cookie that was not given to him, or with a key beyond its age, and no
//     answer is longer than its question.

namespace ringway {
namespace {

constexpr Now kNow{.instant = Instant{1000s}, .wall = {1'795'458'636}};
constexpr Duration kAgeMax = 24h;

template <std::size_t Size>
std::array<std::uint8_t, Size> counting() {
  std::array<std::uint8_t, Size> bytes;
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{7});
  return bytes;
}

LinkEndpoint endpoint(std::uint16_t port) {
  return {.remote = {IpAddress::v4(0xc0000207u), port, 0}, .local = IpAddress::v4(0xc6336401u)};
}

struct Choices {
  bool force_cookie = false;
  bool limits_age = false;
  bool announces = false;
  bool is_third = false;
  bool has_own_cookie = false;
  std::uint8_t damage = 0;
  std::uint16_t at = 0;

  static Choices read(ByteReader& reader) {
    const std::uint8_t bits = reader.u8();
    return {.force_cookie = (bits & 1) != 0,
            .limits_age = (bits & 2) != 0,
            .announces = (bits & 4) != 0,
            .is_third = (bits & 8) != 0,
            .has_own_cookie = (bits & 16) != 0,
            .damage = reader.u8(),
            .at = reader.u16()};
  }
};

KeyMetadata read_metadata(ByteReader& reader) {
  KeyMetadata metadata;
  metadata.size = std::min<std::size_t>({reader.u16(), reader.left(), kKeyMetadataSizeMax});
  std::ranges::copy(reader.take(metadata.size), metadata.bytes.begin());
  return metadata;
}

/// False when nothing was changed.
bool damage(std::vector<std::uint8_t>& bytes, const Choices& choices) {
  const std::size_t at = choices.at % bytes.size();
  switch (choices.damage % 4) {
    case 1: bytes[at] ^= static_cast<std::uint8_t>(choices.damage | 1); return true;
    case 2: bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), choices.damage); break;
    case 3: bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(at)); break;
    default: return false;
  }
  return true;
}

std::vector<std::uint8_t> make_packet(const Choices& choices, const TlsWrap& client,
                                      const HandshakeCookie& cookie, Bytes payload) {
  ControlPacket packet{.opcode = Opcode::HardResetClientV3, .sender = {}, .message_id = {0}};
  packet.sender.bytes = counting<8>();
  if (choices.is_third) {
    packet.opcode = Opcode::ControlWkcV1;
    packet.ack_count = 1;
    packet.receiver =
        cookie.make(endpoint(choices.has_own_cookie ? 4000 : 4001), packet.sender, kNow.instant);
    packet.message_id = {1};
    packet.payload = payload.first(std::min<std::size_t>(payload.size(), 700));
  }
  std::array<std::uint8_t, 2048> plain;
  ByteWriter writer(plain);
  encode_control_packet(packet, writer);
  std::vector<std::uint8_t> out(4096);
  const std::uint32_t replay_id = choices.announces ? kEarlyNegotiationStart : 1;
  const std::size_t size =
      client.wrap(Bytes(plain).first(writer.size()), {replay_id, 1'795'458'600}, out).size();
  out.resize(size);
  const Bytes key = client.wrapped_key();
  out.insert(out.end(), key.begin(), key.end());
  return out;
}

void check_verdict(const GateVerdict& verdict, const Choices& choices, bool is_stale,
                   std::size_t request_size) {
  const bool is_let_in = std::holds_alternative<GateProven>(verdict);
  RW_ASSERT(!is_let_in || (choices.is_third && choices.has_own_cookie && !is_stale));
  if (const auto* reply = std::get_if<GateReply>(&verdict)) {
    RW_ASSERT(!choices.is_third && choices.announces);
    RW_ASSERT(reply->datagram.size() <= request_size + 12);
  }
  if (std::holds_alternative<GateUnproven>(verdict)) {
    RW_ASSERT(!choices.is_third && !choices.announces && !choices.force_cookie && !is_stale);
  }
}

void knock(ByteReader& reader) {
  test::SeededRandom random(1);
  static const HandshakeCookie cookie(random, 60s);
  const Choices choices = Choices::read(reader);
  const KeyMetadata metadata = read_metadata(reader);
  TlsCryptV2Server server{.key = TlsCryptV2ServerKey::from_bytes(counting<128>()),
                          .force_cookie = choices.force_cookie,
                          .age_max = choices.limits_age ? kAgeMax : Duration{0}};
  TlsCryptV2ClientKey client{.key = StaticKey::from_bytes(counting<256>()), .wrapped = {}};
  client.wrapped = server.key.wrap(client.key, metadata);

  std::vector<std::uint8_t> key = client.wrapped;
  RW_ASSERT(key.size() <= kWrappedKeySizeMax);
  const bool key_is_damaged = damage(key, choices) && key != client.wrapped;
  const auto unwrapped = server.key.unwrap(key);
  RW_ASSERT(unwrapped.has_value() != key_is_damaged);
  if (unwrapped) {
    RW_ASSERT(std::ranges::equal(unwrapped->key.bytes(), client.key.bytes()));
    RW_ASSERT(std::ranges::equal(unwrapped->metadata.view(), metadata.view()));
  }
  const bool is_stale = server.is_stale(metadata, kNow.wall);

  const std::vector<std::uint8_t> packet =
      make_packet(choices, TlsWrap::with_wrapped_key(client), cookie, reader.take_rest());
  std::vector<std::uint8_t> arrives = packet;
  const bool is_damaged = damage(arrives, choices) && arrives != packet;
  TlsWrap wrap;
  wrap.offer_v2(std::move(server));
  HandshakeGate gate(wrap, cookie, nullptr);
  std::array<std::uint8_t, HandshakeGate::kDatagramSizeMax> scratch;
  const GateVerdict verdict = gate.handle_datagram(arrives, endpoint(4000), kNow, scratch);
  if (is_damaged) {
    RW_ASSERT(std::holds_alternative<Drop>(verdict));
  } else {
    check_verdict(verdict, choices, is_stale, arrives.size());
  }
}

}  // namespace
}  // namespace ringway

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ringway;
  ByteReader reader({data, size});
  knock(reader);
  return 0;
}

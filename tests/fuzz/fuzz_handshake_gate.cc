#include <array>
#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include "base/check.h"
#include "base/cursor.h"
#include "dataplane/admission/handshake_gate.h"
#include "tests/support/seeded_random.h"

namespace {

using namespace ringway;

constexpr Duration kHandWindow = 60s;

/// The rules of the third packet, written a second time and by offsets: who returns, from the same
/// link, a cookie of the present or the two slots before, for ids no higher than 1, is let in.
bool should_be_let_in(Bytes packet, const LinkEndpoint& from, Now now,
                      const HandshakeCookie& cookie) {
  if (packet.size() < 10) return false;
  const bool is_control = packet[0] == 0x20;
  const bool is_ack = packet[0] == 0x28;
  if (!is_control && !is_ack) return false;
  const std::size_t ack_count = packet[9];
  const std::size_t header_size = 10 + 4 * ack_count + 8 + (is_control ? 4 : 0);
  if (ack_count == 0 || ack_count > 8 || packet.size() < header_size) return false;
  if (packet.size() - header_size > 1500 || packet.size() > 2048) return false;

  SessionId client;
  for (std::size_t i = 0; i < 8; ++i) client.bytes[i] = packet[1 + i];
  if (client == SessionId{}) return false;
  for (std::size_t i = 0; i < ack_count; ++i) {
    if (load_be32(&packet[10 + 4 * i]) > 1) return false;
  }
  if (is_control && load_be32(&packet[header_size - 4]) > 1) return false;

  SessionId returned;
  for (std::size_t i = 0; i < 8; ++i) returned.bytes[i] = packet[10 + 4 * ack_count + i];
  for (int age = 0; age <= 2; ++age) {
    const Instant then = now.instant - age * (kHandWindow / 2);
    if (cookie.make(from, client, then) == returned) return true;
  }
  return false;
}

LinkEndpoint read_endpoint(ByteReader& reader) {
  return {.remote = {IpAddress::v4(0xc0000200u + reader.u8() % 2),
                     static_cast<std::uint16_t>(1000 + reader.u8() % 2), 0},
          .local = IpAddress::v4(0xc6336400u + reader.u8() % 2),
          .listener = static_cast<std::uint8_t>(reader.u8() % 2)};
}

/// Overwrites the receiver field with a genuine cookie, of some link, client and time.
void plant_cookie(std::vector<std::uint8_t>& packet, const HandshakeCookie& cookie,
                  const LinkEndpoint& from, Instant at) {
  if (packet.size() < 10 || packet.size() < 18 + 4u * packet[9]) return;
  SessionId client;
  for (std::size_t i = 0; i < 8; ++i) client.bytes[i] = packet[1 + i];
  const SessionId made = cookie.make(from, client, at);
  for (std::size_t i = 0; i < 8; ++i) packet[10 + 4u * packet[9] + i] = made.bytes[i];
}

}  // namespace

// Nobody is let in but by the rules, and nobody who keeps them is kept out; a reply is never larger
// than its request plus twelve bytes and never goes to anything but a reset or a bare ClientHello.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  test::SeededRandom random(1);
  static const HandshakeCookie cookie(random, kHandWindow);
  static const TlsWrap no_wrap;
  HandshakeGate gate(no_wrap, cookie, nullptr);

  ByteReader reader({data, size});
  const LinkEndpoint from = read_endpoint(reader);
  const LinkEndpoint made_for = read_endpoint(reader);
  const Duration age = 10s * (reader.u8() % 16) - 30s;
  const bool plant = reader.u8() % 4 != 0;
  const Now now{.instant = {1000s + 10s * (reader.u8() % 6)}, .wall = {1'700'000'000}};
  const Bytes rest = reader.take_rest();
  std::vector<std::uint8_t> packet(rest.begin(), rest.end());
  if (plant) plant_cookie(packet, cookie, made_for, now.instant - age);

  std::array<std::uint8_t, HandshakeGate::kDatagramSizeMax> scratch;
  const GateVerdict verdict = gate.handle_datagram(packet, from, now, scratch);

  RW_ASSERT(std::holds_alternative<GateProven>(verdict) ==
            should_be_let_in(packet, from, now, cookie));
  if (const auto* reply = std::get_if<GateReply>(&verdict)) {
    RW_ASSERT(reply->datagram.size() <= packet.size() + 12);
    RW_ASSERT(packet[0] == 0x38 || (packet[0] == 0x20 && packet[9] == 0));
  }
  return 0;
}

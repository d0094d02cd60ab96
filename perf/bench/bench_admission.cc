#include <benchmark/benchmark.h>

#include <array>
#include <vector>

#include "base/cursor.h"
#include "dataplane/admission/control_packet.h"
#include "dataplane/control_intake.h"

// What a stranger's datagram costs a worker beyond its reception: the table of channels, the gate,
// the limits and, for a reset, the cookie and the wrapped answer.

namespace ringway {
namespace {

class CountingBytes final : public RandomSource {
 public:
  void fill(MutableBytes out) override {
    for (std::uint8_t& byte : out) byte = ++last_;
  }

 private:
  std::uint8_t last_ = 0;
};

StaticKey key(std::uint8_t fill) {
  return StaticKey::from_bytes(std::vector<std::uint8_t>(StaticKey::kSize, fill));
}

std::vector<std::uint8_t> reset(const TlsWrap& wrap) {
  ControlPacket packet{.opcode = Opcode::HardResetClientV2, .message_id = {0}};
  packet.sender.bytes.fill(5);
  std::array<std::uint8_t, 64> plain;
  ByteWriter writer(plain);
  encode_control_packet(packet, writer);
  std::vector<std::uint8_t> out(writer.size() + wrap.overhead());
  out.resize(wrap.wrap(writer.written(), {.id = 1, .time = 1000}, out).size());
  return out;
}

/// The same datagram from ever new addresses, half of a million of them a second of time.
void meet(benchmark::State& state, const TlsWrap& server, std::vector<std::uint8_t> datagram,
          Verdict::Way expected) {
  DatapathSettings settings;
  settings.address_hash.key = {1, 2, 3};
  settings.admission = {
      .wrap = &server,
      .limits = {.answers = {.count = 1'000'000}, .shared_sources = {}, .hash = {}}};
  ControlIntake intake(settings);
  CountingBytes dice;
  intake.handle(InstallCookieKey{.key = CookieKey::draw(dice, 0)});
  LinkEndpoint from{.local = IpAddress::v4(0xc6336401)};
  Now now{.instant = {1000s}, .wall = {1'700'000'000}};
  std::uint32_t number = 0;
  std::uint64_t unexpected = 0;
  for (auto _ : state) {
    from.remote = {.address = IpAddress::v4(0x0a000000u + ++number * 7919u % 0xffffffu),
                   .port = static_cast<std::uint16_t>(number)};
    now.instant = now.instant + 2us;
    if (intake.handle_datagram(datagram, from, now).way != expected) ++unexpected;
  }
  if (unexpected > 0) state.SkipWithError("not what was expected");
}

void junk(benchmark::State& state) {
  const TlsWrap server(TlsCrypt(key(7), Side::Server));
  std::vector<std::uint8_t> datagram(100, 0x11);
  datagram[0] = 0x38;
  meet(state, server, datagram, Verdict::Way::Dropped);
}
BENCHMARK(junk);

void junk_of_a_kilobyte(benchmark::State& state) {
  const TlsWrap server(TlsCrypt(key(7), Side::Server));
  std::vector<std::uint8_t> datagram(1000, 0x11);
  datagram[0] = 0x38;
  meet(state, server, datagram, Verdict::Way::Dropped);
}
BENCHMARK(junk_of_a_kilobyte);

void reset_without_wrapping(benchmark::State& state) {
  const TlsWrap none;
  meet(state, none, reset(none), Verdict::Way::Link);
}
BENCHMARK(reset_without_wrapping);

void reset_tls_auth(benchmark::State& state) {
  meet(state, TlsWrap(TlsAuth(key(7), 0, Digest::Sha1)),
       reset(TlsWrap(TlsAuth(key(7), 1, Digest::Sha1))), Verdict::Way::Link);
}
BENCHMARK(reset_tls_auth);

void reset_tls_crypt(benchmark::State& state) {
  meet(state, TlsWrap(TlsCrypt(key(7), Side::Server)),
       reset(TlsWrap(TlsCrypt(key(7), Side::Client))), Verdict::Way::Link);
}
BENCHMARK(reset_tls_crypt);

}  // namespace
}  // namespace ringway

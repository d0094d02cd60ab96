#include <benchmark/benchmark.h>

#include <vector>

#include "dataplane/admission/control_packet.h"
#include "dataplane/admission/tls_crypt.h"
#include "dataplane/channel/packet_header.h"

namespace ringway {
namespace {

void data_header_parse(benchmark::State& state) {
  std::array<std::uint8_t, 64> datagram{};
  write_data_header({.peer_id = {77}}, datagram);
  for (auto _ : state) {
    benchmark::DoNotOptimize(datagram);
    benchmark::DoNotOptimize(parse_data_header(datagram));
  }
}
BENCHMARK(data_header_parse);

void data_header_write(benchmark::State& state) {
  std::array<std::uint8_t, 64> datagram{};
  for (auto _ : state) {
    write_data_header({.peer_id = {77}}, datagram);
    benchmark::DoNotOptimize(datagram);
  }
}
BENCHMARK(data_header_write);

std::vector<std::uint8_t> control_packet() {
  const std::vector<std::uint8_t> payload(1200, 1);
  ControlPacket packet{.sender = {{1}}, .ack_count = 2, .receiver = {{2}}};
  packet.payload = payload;
  std::vector<std::uint8_t> bytes(1400);
  ByteWriter writer(bytes);
  encode_control_packet(packet, writer);
  bytes.resize(writer.written().size());
  return bytes;
}

void control_packet_decode(benchmark::State& state) {
  const std::vector<std::uint8_t> bytes = control_packet();
  for (auto _ : state) benchmark::DoNotOptimize(decode_control_packet(bytes));
}
BENCHMARK(control_packet_decode);

StaticKey static_key() { return StaticKey::from_bytes(std::vector<std::uint8_t>(256, 7)); }

void tls_crypt_wrap(benchmark::State& state) {
  const TlsCrypt wrap(static_key(), Side::Server);
  const std::vector<std::uint8_t> plain = control_packet();
  std::vector<std::uint8_t> out(plain.size() + TlsCrypt::overhead());
  std::uint32_t id = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(wrap.wrap(plain, {.id = ++id, .time = 1}, out).data());
}
BENCHMARK(tls_crypt_wrap);

void tls_crypt_unwrap(benchmark::State& state) {
  const TlsCrypt server(static_key(), Side::Server);
  const TlsCrypt client(static_key(), Side::Client);
  const std::vector<std::uint8_t> plain = control_packet();
  std::vector<std::uint8_t> out(plain.size() + TlsCrypt::overhead());
  const Bytes wrapped = client.wrap(plain, {.id = 1, .time = 1}, out);
  std::vector<std::uint8_t> scratch(wrapped.size());
  for (auto _ : state) {
    if (!server.unwrap(wrapped, scratch)) state.SkipWithError("does not unwrap");
  }
}
BENCHMARK(tls_crypt_unwrap);

}  // namespace
}  // namespace ringway

// Strangers for the interop tests, in numbers that a script cannot make.
//
//   strangers resets SOURCES SERVER PORT COUNT RATE WRAP...  resets from random addresses of
//   SOURCES,
//                                                            wrapped by each WRAP in turn
//   strangers junk   SOURCES SERVER PORT COUNT RATE          random bytes, random lengths
//   strangers stall  SERVER PORT COUNT WRAP                  as many clients that return the
//   cookie,
//                                                            fill what a handshake may hold, and
//                                                            stop
//
// SOURCES is an IPv4 network, SERVER an IPv4 address, RATE datagrams a second or 0 for as many as
// go. WRAP is none, tls-auth=FILE (direction 1), tls-crypt=FILE, or wrong (a tls-crypt key that the
// server has not). The last line is "sent N in S s" or "stalled N".

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/random.h"
#include "base/time.h"
#include "base/unique_fd.h"
#include "dataplane/admission/control_packet.h"
#include "dataplane/admission/static_key.h"
#include "dataplane/admission/tls_wrap.h"

namespace {

using namespace ringway;

using Words = std::vector<std::string>;

[[noreturn]] void give_up(const std::string& why) {
  fmt::print(stderr, "strangers: {}\n", why);
  std::exit(2);
}

std::uint64_t number(const std::string& word) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc{} || end != word.data() + word.size()) give_up("no number: " + word);
  return value;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) give_up("cannot read " + path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

StaticKey read_key(const std::string& path) {
  auto key = StaticKey::parse(read_file(path), path);
  if (!key) give_up(key.error().to_string());
  return std::move(*key);
}

TlsWrap make_wrap(const std::string& word) {
  if (word == "none") return TlsWrap();
  if (word == "wrong") {
    const std::vector<std::uint8_t> raw(StaticKey::kSize, 0x5a);
    return TlsWrap(TlsCrypt(StaticKey::from_bytes(raw), Side::Client));
  }
  const std::size_t equals = word.find('=');
  if (equals == std::string::npos) give_up("no wrapping: " + word);
  const StaticKey key = read_key(word.substr(equals + 1));
  if (word.starts_with("tls-auth=")) return TlsWrap(TlsAuth(key, 1, Digest::Sha1));
  if (word.starts_with("tls-crypt=")) return TlsWrap(TlsCrypt(key, Side::Client));
  give_up("no wrapping: " + word);
}

std::vector<std::uint8_t> wrapped(const TlsWrap& wrap, const ControlPacket& packet,
                                  std::uint32_t id) {
  std::array<std::uint8_t, 2048> plain;
  ByteWriter writer(plain);
  encode_control_packet(packet, writer);
  std::vector<std::uint8_t> out(writer.size() + wrap.overhead());
  const ReplayStamp stamp{.id = id, .time = static_cast<std::uint32_t>(wall_now().seconds)};
  out.resize(wrap.wrap(writer.written(), stamp, out).size());
  return out;
}

sockaddr_in address_of(const std::string& address, std::uint16_t port) {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(port);
  if (inet_pton(AF_INET, address.c_str(), &name.sin_addr) != 1) give_up("no IPv4: " + address);
  return name;
}

/// Datagrams from addresses that are not ours.
class Spoofer {
 public:
  static constexpr std::size_t kPayloadMax = 1400;

  Spoofer(const std::string& sources, const std::string& server, std::uint16_t port)
      : fd_(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW)),
        server_(address_of(server, port)) {
    const auto network = Prefix::parse(sources);
    if (!network || !network->address.is_v4()) give_up("no IPv4 network: " + sources);
    if (!fd_) give_up("a raw socket needs root");
    std::array<std::uint8_t, 8> seed;
    SystemRandom().fill(seed);
    dice_.seed(load_be64(seed.data()));
    network_ = network->address.v4_value();
    host_mask_ = ~network->v4_netmask();
    const int size = 8 << 20;
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
    for (std::size_t i = 0; i < kBatch; ++i) {
      pieces_[i] = {.iov_base = packets_[i].data(), .iov_len = 0};
      messages_[i].msg_hdr = {};
      messages_[i].msg_hdr.msg_name = &server_;
      messages_[i].msg_hdr.msg_namelen = sizeof server_;
      messages_[i].msg_hdr.msg_iov = &pieces_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
    }
  }

  void add(Bytes payload) {
    std::uint8_t* const packet = packets_[count_].data();
    const std::size_t size = sizeof(iphdr) + sizeof(udphdr) + payload.size();
    iphdr ip{};
    ip.version = 4;
    ip.ihl = 5;
    ip.ttl = 64;
    ip.protocol = IPPROTO_UDP;
    ip.tot_len = htons(static_cast<std::uint16_t>(size));
    ip.saddr = htonl(network_ | (static_cast<std::uint32_t>(dice()) & host_mask_));
    ip.daddr = server_.sin_addr.s_addr;
    udphdr udp{};
    udp.source = htons(static_cast<std::uint16_t>(1024 + dice() % 60'000));
    udp.dest = server_.sin_port;
    udp.len = htons(static_cast<std::uint16_t>(sizeof udp + payload.size()));
    std::memcpy(packet, &ip, sizeof ip);
    std::memcpy(packet + sizeof ip, &udp, sizeof udp);
    if (!payload.empty())
      std::memcpy(packet + sizeof ip + sizeof udp, payload.data(), payload.size());
    pieces_[count_].iov_len = size;
    if (++count_ == kBatch) flush();
  }

  void flush() {
    for (std::size_t sent = 0; sent < count_;) {
      const int done =
          ::sendmmsg(fd_.get(), &messages_[sent], static_cast<unsigned>(count_ - sent), 0);
      if (done < 0 && errno != ENOBUFS && errno != EAGAIN) give_up(std::strerror(errno));
      if (done > 0) sent += static_cast<std::size_t>(done);
    }
    count_ = 0;
  }

  std::uint64_t dice() { return dice_(); }

 private:
  static constexpr std::size_t kBatch = 32;

  UniqueFd fd_;
  sockaddr_in server_;
  std::uint32_t network_ = 0;
  std::uint32_t host_mask_ = 0;
  std::mt19937_64 dice_;
  std::array<std::array<std::uint8_t, kPayloadMax + 28>, kBatch> packets_{};
  std::array<iovec, kBatch> pieces_{};
  std::array<mmsghdr, kBatch> messages_{};
  std::size_t count_ = 0;
};

/// Calls `send` so often, evenly over the time that the rate gives it.
template <typename Send>
void at_rate(std::uint64_t count, std::uint64_t rate, const Send& send) {
  const Instant start = monotonic_now();
  for (std::uint64_t i = 0; i < count; ++i) {
    if (rate > 0 && i % 64 == 0) {
      const Duration due{static_cast<std::int64_t>(i * 1'000'000'000 / rate)};
      const Duration ahead = due - (monotonic_now() - start);
      if (ahead > 1ms) ::poll(nullptr, 0, static_cast<int>(ahead / 1ms));
    }
    send();
  }
  const double seconds = std::chrono::duration<double>(monotonic_now() - start).count();
  fmt::print("sent {} in {:.2f} s\n", count, seconds);
}

void send_resets(const Words& words) {
  if (words.size() < 6) give_up("resets SOURCES SERVER PORT COUNT RATE WRAP...");
  Spoofer spoofer(words[0], words[1], static_cast<std::uint16_t>(number(words[2])));
  std::vector<TlsWrap> wraps;
  for (std::size_t i = 5; i < words.size(); ++i) wraps.push_back(make_wrap(words[i]));
  std::size_t turn = 0;
  at_rate(number(words[3]), number(words[4]), [&] {
    ControlPacket reset{.opcode = Opcode::HardResetClientV2, .message_id = {0}};
    store_be64(reset.sender.bytes.data(), spoofer.dice() | 1);
    spoofer.add(wrapped(wraps[turn++ % wraps.size()], reset, 1));
  });
  spoofer.flush();
}

void send_junk(const Words& words) {
  if (words.size() != 5) give_up("junk SOURCES SERVER PORT COUNT RATE");
  Spoofer spoofer(words[0], words[1], static_cast<std::uint16_t>(number(words[2])));
  std::vector<std::uint8_t> noise(1 << 16);
  SystemRandom().fill(noise);
  at_rate(number(words[3]), number(words[4]), [&] {
    const std::size_t size = spoofer.dice() % (Spoofer::kPayloadMax + 1);
    spoofer.add(Bytes(noise).subspan(spoofer.dice() % (noise.size() - size), size));
  });
  spoofer.flush();
}

/// A client that goes as far as a TLS handshake that never comes to an end.
class Staller {
 public:
  Staller(const sockaddr_in& server, const TlsWrap& wrap)
      : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)), wrap_(wrap) {
    if (!fd_) give_up("no socket: raise the limit of open files");
    if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&server), sizeof server) != 0) {
      give_up(std::strerror(errno));
    }
    SystemRandom().fill(session_.bytes);
  }

  void ask() { send({.opcode = Opcode::HardResetClientV2, .sender = session_, .message_id = {0}}); }
  /// Waits for the cookie and returns it, with all that a channel keeps for a client whose
  /// ClientHello is not whole: its first byte, and the window behind a gap full.
  bool go_on() {
    pollfd waiting{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, 2000) <= 0) return false;
    std::array<std::uint8_t, 2048> datagram;
    std::array<std::uint8_t, 2048> plain;
    const ssize_t size = ::recv(fd_.get(), datagram.data(), datagram.size(), 0);
    if (size <= 0) return false;
    const auto opened = wrap_.unwrap(Bytes(datagram).first(static_cast<std::size_t>(size)), plain);
    const auto reset =
        opened ? decode_control_packet(opened->plain) : std::unexpected(Drop::BadWrap);
    if (!reset) return false;
    static constexpr std::array<std::uint8_t, 1400> kPayload = {0x16, 0x03, 0x01};
    for (std::uint32_t id = 1; id <= 12; ++id) {
      if (id == 2) continue;
      send({.opcode = Opcode::ControlV1,
            .sender = session_,
            .ack_count = 1,
            .ack_ids = {MessageId{0}},
            .receiver = reset->sender,
            .message_id = {id},
            .payload = Bytes(kPayload).first(id == 1 ? 1 : kPayload.size() - 200)});
    }
    return true;
  }

 private:
  void send(const ControlPacket& packet) {
    const auto datagram = wrapped(wrap_, packet, ++stamp_);
    static_cast<void>(::send(fd_.get(), datagram.data(), datagram.size(), 0));
  }

  UniqueFd fd_;
  const TlsWrap& wrap_;
  SessionId session_;
  std::uint32_t stamp_ = 0;
};

void stall(const Words& words) {
  if (words.size() != 4) give_up("stall SERVER PORT COUNT WRAP");
  const rlimit files{.rlim_cur = 65'536, .rlim_max = 65'536};
  ::setrlimit(RLIMIT_NOFILE, &files);
  const sockaddr_in server = address_of(words[0], static_cast<std::uint16_t>(number(words[1])));
  const TlsWrap wrap = make_wrap(words[3]);
  constexpr std::size_t kAtOnce = 16;
  std::vector<Staller> stallers;
  std::size_t stalled = 0;
  const std::uint64_t count = number(words[2]);
  stallers.reserve(count);
  while (stallers.size() < count) {
    const std::size_t first = stallers.size();
    for (std::size_t i = 0; i < kAtOnce && stallers.size() < count; ++i) {
      stallers.emplace_back(server, wrap).ask();
    }
    for (std::size_t i = first; i < stallers.size(); ++i) stalled += stallers[i].go_on() ? 1 : 0;
  }
  fmt::print("stalled {}\n", stalled);
}

}  // namespace

int main(int argc, char** argv) {
  const Words words(argv + 1, argv + argc);
  if (words.empty()) give_up("resets, junk or stall");
  const Words rest(words.begin() + 1, words.end());
  if (words[0] == "resets") return send_resets(rest), 0;
  if (words[0] == "junk") return send_junk(rest), 0;
  if (words[0] == "stall") return stall(rest), 0;
  give_up("resets, junk or stall");
}

// A flood of UDP datagrams and its sink, for perf/compare: sendmmsg, numbered datagrams, and no
// control channel that the flood could starve. Results are one line of JSON.

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "base/unique_fd.h"

namespace {

using ringway::Instant;
using ringway::load_be64;
using ringway::monotonic_now;
using ringway::store_be64;

constexpr std::string_view kHelp =
    "flood send IPV4 PORT SIZE SECONDS RATE   datagrams of SIZE bytes (8 to 65507); RATE a "
    "second,\n"
    "                                         or 0 for as many as go\n"
    "flood sink PORT                          counts them until SIGTERM\n";

constexpr std::size_t kBatch = 32;
constexpr std::size_t kSizeMin = 8;
constexpr std::size_t kSizeMax = 65507;
constexpr int kBufferSize = 8 << 20;

/// Set by the signal handler.
std::atomic<bool> stop_wanted = false;
static_assert(std::atomic<bool>::is_always_lock_free);

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

ringway::UniqueFd open_socket() {
  ringway::UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  (void)::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kBufferSize, sizeof kBufferSize);
  (void)::setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUFFORCE, &kBufferSize, sizeof kBufferSize);
  return fd;
}

/// Buffers and headers for a batch of datagrams.
struct Batch {
  explicit Batch(std::size_t size) : memory(kBatch * size) {
    for (std::size_t i = 0; i < kBatch; ++i) {
      spans[i] = {.iov_base = memory.data() + i * size, .iov_len = size};
      messages[i].msg_hdr.msg_iov = &spans[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
  }
  std::uint8_t* datagram(std::size_t index) {
    return static_cast<std::uint8_t*>(spans[index].iov_base);
  }

  std::vector<std::uint8_t> memory;
  std::array<iovec, kBatch> spans{};
  std::array<mmsghdr, kBatch> messages{};
};

struct Flood {
  std::size_t size = 0;
  std::chrono::seconds duration{};
  std::uint64_t rate = 0;
};

int send_flood(const sockaddr_in& target, const Flood& flood) {
  const ringway::UniqueFd fd = open_socket();
  if (!fd) return 1;
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&target), sizeof target) < 0) return 1;
  Batch batch(flood.size);
  std::uint64_t sent = 0;
  const Instant start = monotonic_now();
  Instant now = start;
  while (now - start < flood.duration) {
    for (std::size_t i = 0; i < kBatch; ++i) store_be64(batch.datagram(i), sent + i);
    const int count = ::sendmmsg(fd.get(), batch.messages.data(), kBatch, 0);
    // A refusal (nobody listens yet, no room) is not counted as sent.
    if (count > 0) sent += static_cast<std::uint64_t>(count);
    if (flood.rate != 0) {
      const std::chrono::nanoseconds due(sent * 1'000'000'000 / flood.rate);
      std::this_thread::sleep_for(start + due - monotonic_now());
    }
    now = monotonic_now();
  }
  const double seconds = std::chrono::duration<double>(now - start).count();
  fmt::print("{{\"sent\":{},\"seconds\":{:.6f}}}\n", sent, seconds);
  return 0;
}

int run_sink(std::uint16_t port) {
  struct sigaction action{};
  action.sa_handler = [](int) { stop_wanted = true; };
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);
  const ringway::UniqueFd fd = open_socket();
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
    fmt::print(stderr, "flood: the port is taken\n");
    return 1;
  }
  Batch batch(kSizeMax);
  std::uint64_t received = 0;
  std::uint64_t reordered = 0;
  std::uint64_t next = 0;
  while (!stop_wanted) {
    const int count = ::recvmmsg(fd.get(), batch.messages.data(), kBatch, MSG_WAITFORONE, nullptr);
    for (int i = 0; i < count; ++i) {
      const std::uint64_t index = load_be64(batch.datagram(static_cast<std::size_t>(i)));
      if (index < next) ++reordered;
      next = std::max(next, index + 1);
      ++received;
    }
  }
  fmt::print("{{\"received\":{},\"reordered\":{}}}\n", received, reordered);
  return 0;
}

int refuse_arguments() {
  fmt::print(stderr, "{}", kHelp);
  return 2;
}

}  // namespace

int main(int count, char** words) {
  const std::vector<std::string_view> arguments(words + 1, words + count);
  if (arguments.size() == 2 && arguments[0] == "sink") {
    const auto port = number(arguments[1]);
    return port ? run_sink(static_cast<std::uint16_t>(*port)) : refuse_arguments();
  }
  if (arguments.size() != 6 || arguments[0] != "send") return refuse_arguments();
  sockaddr_in target{};
  target.sin_family = AF_INET;
  const auto port = number(arguments[2]);
  const auto size = number(arguments[3]);
  const auto seconds = number(arguments[4]);
  const auto rate = number(arguments[5]);
  const bool is_address = ::inet_pton(AF_INET, words[2], &target.sin_addr) == 1;
  if (!port || !size || !seconds || !rate || !is_address || *size < kSizeMin || *size > kSizeMax) {
    return refuse_arguments();
  }
  target.sin_port = htons(static_cast<std::uint16_t>(*port));
  return send_flood(target,
                    {.size = *size, .duration = std::chrono::seconds(*seconds), .rate = *rate});
}

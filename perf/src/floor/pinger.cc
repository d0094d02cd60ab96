// Echo requests at even intervals, for perf/compare. ping(8) spins between requests that are less
// than ten milliseconds apart, which takes the core away from the clients that share it; this one
// sleeps. Results are one line of JSON.

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <linux/icmp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "base/unique_fd.h"
#include "tun/checksum.h"

namespace {

using ringway::Instant;
using ringway::load_be16;
using ringway::monotonic_now;
using ringway::store_be16;

constexpr std::string_view kHelp =
    "pinger IPV4 COUNT INTERVAL_US   COUNT echo requests of 64 bytes, INTERVAL_US apart\n";

constexpr std::size_t kCountMax = 60'000;
constexpr std::size_t kRequestSize = 64;
/// How long the last replies are waited for.
constexpr std::chrono::seconds kPatience{1};
// Where the fields of an echo stand (RFC 792).
constexpr std::size_t kChecksum = 2;
constexpr std::size_t kIdentifier = 4;
constexpr std::size_t kSequence = 6;

std::optional<std::size_t> number(std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Sends the requests of one run and remembers when each left and how long its reply took.
class Pinger {
 public:
  Pinger(int fd, std::size_t count) : fd_(fd), sent_at_(count), micros_(count, -1) {}

  void run(std::chrono::microseconds interval) {
    const Instant start = monotonic_now();
    for (std::size_t i = 0; i < sent_at_.size(); ++i) {
      receive_until(start + interval * i);
      send(i);
    }
    const Instant end = monotonic_now() + kPatience;
    while (received_ < sent_at_.size() && monotonic_now() < end) receive_once(end);
  }

  /// Of the replies that came, in microseconds.
  [[nodiscard]] std::vector<double> round_trips() const {
    std::vector<double> known;
    for (const double micros : micros_) {
      if (micros >= 0) known.push_back(micros);
    }
    return known;
  }

 private:
  void send(std::size_t index) {
    std::array<std::uint8_t, kRequestSize> request{};
    request[0] = ICMP_ECHO;
    store_be16(&request[kIdentifier], identifier_);
    store_be16(&request[kSequence], static_cast<std::uint16_t>(index));
    store_be16(&request[kChecksum], ringway::checksum_of(request));
    sent_at_[index] = monotonic_now();
    (void)!::send(fd_, request.data(), request.size(), 0);
  }

  void receive_until(Instant deadline) {
    while (monotonic_now() < deadline) receive_once(deadline);
  }

  void receive_once(Instant deadline) {
    const auto left = (deadline - monotonic_now()).count();
    if (left <= 0) return;
    const timespec timeout{.tv_sec = left / 1'000'000'000, .tv_nsec = left % 1'000'000'000};
    pollfd wanted{.fd = fd_, .events = POLLIN, .revents = 0};
    if (::ppoll(&wanted, 1, &timeout, nullptr) <= 0) return;
    std::array<std::uint8_t, 1500> packet{};
    const ssize_t size = ::recv(fd_, packet.data(), packet.size(), MSG_DONTWAIT);
    const Instant now = monotonic_now();
    // A raw IPv4 socket gives the IP header too.
    const std::size_t at = std::size_t{packet[0] & 0x0fu} * 4;
    if (size < static_cast<ssize_t>(at + 8) || packet[at] != ICMP_ECHOREPLY) return;
    if (load_be16(&packet[at + kIdentifier]) != identifier_) return;
    const std::size_t index = load_be16(&packet[at + kSequence]);
    if (index >= micros_.size() || micros_[index] >= 0) return;
    micros_[index] = std::chrono::duration<double, std::micro>(now - sent_at_[index]).count();
    ++received_;
  }

  int fd_;
  std::uint16_t identifier_ = static_cast<std::uint16_t>(::getpid());
  std::vector<Instant> sent_at_;
  /// -1: no reply yet.
  std::vector<double> micros_;
  std::size_t received_ = 0;
};

int refuse(std::string_view why) {
  fmt::print(stderr, "pinger: {}\n", why);
  return 2;
}

}  // namespace

int main(int count, char** words) {
  if (count != 4) return refuse(kHelp);
  const auto requests = number(words[2]);
  const auto interval = number(words[3]);
  sockaddr_in target{};
  target.sin_family = AF_INET;
  const bool is_address = ::inet_pton(AF_INET, words[1], &target.sin_addr) == 1;
  if (!requests || !interval || !is_address || *requests == 0 || *requests > kCountMax) {
    return refuse(kHelp);
  }
  const ringway::UniqueFd fd(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP));
  if (!fd) return refuse("no permission to open a raw socket: start as root");
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&target), sizeof target) < 0) {
    return refuse("there is no route to this address");
  }
  Pinger pinger(fd.get(), *requests);
  pinger.run(std::chrono::microseconds(*interval));
  fmt::print("{{\"sent\":{},\"rtt_us\":[{:.1f}]}}\n", *requests,
             fmt::join(pinger.round_trips(), ","));
}

#include "perf/src/loadgen/echo.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "base/unique_fd.h"
#include "perf/src/loadgen/probe.h"
#include "perf/src/loadgen/sequence_check.h"

namespace ringway::loadgen {
namespace {

constexpr unsigned kBatch = 64;
constexpr std::size_t kDatagramSizeMax = 2048;
constexpr int kBufferSize = 16 << 20;

struct Count {
  std::uint32_t run = 0;
  SequenceCheck up;
  std::uint64_t down_next = 0;
};

class Echo {
 public:
  explicit Echo(int fd) : fd_(fd) {
    for (unsigned i = 0; i < kBatch; ++i) {
      spaces_[i] = {.iov_base = datagrams_[i].data(), .iov_len = kDatagramSizeMax};
      headers_[i].msg_hdr = {.msg_name = &senders_[i],
                             .msg_namelen = sizeof senders_[i],
                             .msg_iov = &spaces_[i],
                             .msg_iovlen = 1,
                             .msg_control = nullptr,
                             .msg_controllen = 0,
                             .msg_flags = 0};
    }
  }

  void turn() {
    for (unsigned i = 0; i < kBatch; ++i) {
      spaces_[i].iov_len = kDatagramSizeMax;
      headers_[i].msg_hdr.msg_namelen = sizeof senders_[i];
    }
    const int count = ::recvmmsg(fd_, headers_.data(), kBatch, MSG_WAITFORONE, nullptr);
    const Instant now = monotonic_now();
    for (int i = 0; i < count; ++i) answer(static_cast<unsigned>(i), now);
  }

 private:
  void answer(unsigned index, Instant now) {
    const MutableBytes payload = MutableBytes(datagrams_[index]).first(headers_[index].msg_len);
    std::optional<Probe> probe = Probe::read(payload);
    if (!probe) return;
    Count& count = counts_[probe->client];
    if (count.run != probe->run) count = {.run = probe->run, .up = {}, .down_next = 0};
    count.up.note(probe->up_number);
    probe->echoed_at = now.since_start.count();
    probe->up_received = static_cast<std::uint32_t>(count.up.received());
    probe->up_reordered = static_cast<std::uint32_t>(count.up.reordered());
    probe->up_duplicated = static_cast<std::uint32_t>(count.up.duplicated());
    for (std::uint16_t i = 0; i < probe->answers; ++i) {
      probe->answer = i;
      probe->down_number = count.down_next++;
      probe->write(payload);
      ::sendto(fd_, payload.data(), payload.size(), 0,
               reinterpret_cast<const sockaddr*>(&senders_[index]), sizeof senders_[index]);
    }
  }

  int fd_;
  std::array<std::array<std::uint8_t, kDatagramSizeMax>, kBatch> datagrams_{};
  std::array<sockaddr_in6, kBatch> senders_{};
  std::array<iovec, kBatch> spaces_{};
  std::array<mmsghdr, kBatch> headers_{};
  std::unordered_map<std::uint32_t, Count> counts_;
};

}  // namespace

Result<void> run_echo() {
  const UniqueFd fd(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) return fail("cannot make a socket");
  constexpr int kOff = 0;
  ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &kOff, sizeof kOff);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kBufferSize, sizeof kBufferSize);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUFFORCE, &kBufferSize, sizeof kBufferSize);
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(Probe::kPort);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return fail(std::string("cannot listen: ") + std::strerror(errno),
                "UDP port " + std::to_string(Probe::kPort));
  }
  auto echo = std::make_unique<Echo>(fd.get());
  while (true) echo->turn();
}

}  // namespace ringway::loadgen

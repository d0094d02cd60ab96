#include "control/programs/helper_link.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/secret.h"

namespace ringway {
namespace {

constexpr int kEndMs = 2000;

}  // namespace

HelperLink::~HelperLink() {
  if (end_.keeper <= 0) return;
  const Instant give_up = monotonic_now() + kFarewellMax;
  static_cast<void>(send(FinishRequest{}));
  while (!is_lost() && monotonic_now() < give_up) {
    static_cast<void>(receive_within(give_up - monotonic_now()));
  }
  end_.socket.reset();
  // The socket's end has ended it, if nothing did before; unless it hangs in a file system.
  const UniqueFd ended(static_cast<int>(::syscall(SYS_pidfd_open, end_.keeper, 0)));
  pollfd waiting{.fd = ended.get(), .events = POLLIN, .revents = 0};
  if (::poll(&waiting, 1, kEndMs) == 1) ::waitpid(end_.keeper, nullptr, 0);
}

bool HelperLink::send(const HelperRequest& request) {
  const auto* const program = std::get_if<ProgramRequest>(&request);
  const bool is_news = program != nullptr && program->is_news;
  if (is_lost() || unsent_.size() >= (is_news ? kUnsentWithNewsMax : kUnsentMax)) return false;
  std::vector<std::uint8_t> message = encode(request);
  if (message.empty()) return false;
  unsent_.push_back(std::move(message));
  flush();
  return true;
}

void HelperLink::flush() {
  while (!is_lost() && !unsent_.empty()) {
    std::vector<std::uint8_t>& message = unsent_.front();
    if (::send(end_.socket.get(), message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL) <
        0) {
      if (errno != EAGAIN && errno != ENOBUFS) end_.socket.reset();
      return;
    }
    wipe(message);
    unsent_.pop_front();
  }
}

std::optional<HelperReport> HelperLink::receive() {
  while (!is_lost()) {
    UniqueFd beside;
    const ssize_t size = receive_message(beside);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
    if (size <= 0) {
      end_.socket.reset();
      return std::nullopt;
    }
    const MutableBytes message = MutableBytes(scratch_).first(static_cast<std::size_t>(size));
    auto report = decode_report(message);
    // What a client's program wrote can be a secret.
    wipe(message);
    if (!report) continue;
    if (auto* opened = std::get_if<FileOpened>(&*report)) opened->file = std::move(beside);
    return report;
  }
  return std::nullopt;
}

ssize_t HelperLink::receive_message(UniqueFd& beside) {
  iovec piece{.iov_base = scratch_.data(), .iov_len = scratch_.size()};
  alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t size = ::recvmsg(end_.socket.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  const cmsghdr* const head = size < 0 ? nullptr : CMSG_FIRSTHDR(&message);
  if (head != nullptr && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS) {
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(head), sizeof fd);
    beside = UniqueFd(fd);
  }
  return size;
}

std::optional<HelperReport> HelperLink::receive_within(Duration duration) {
  const Instant end = monotonic_now() + duration;
  for (;;) {
    flush();
    if (std::optional<HelperReport> report = receive()) return report;
    const Duration left = end - monotonic_now();
    if (is_lost() || left <= Duration{0}) return std::nullopt;
    pollfd waiting{.fd = end_.socket.get(), .events = poll_events(), .revents = 0};
    ::poll(&waiting, 1, static_cast<int>(left / 1ms) + 1);
  }
}

}  // namespace ringway

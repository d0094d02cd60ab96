#include "control/programs/helper_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <deque>
#include <span>
#include <vector>

#include "control/client_directory.h"
#include "control/programs/program_runner.h"
#include "control/programs/program_wire.h"

namespace ringway {
namespace {

/// Reports that wait for the server to take them; beyond that the helper takes no more requests.
constexpr std::size_t kReportsMax = 1024;
/// How long a keeper waits before it starts the next helper: one that dies at once shall not keep a
/// core busy.
constexpr int kRestartDelayMs = 100;

FileRead read_for(const HelperSettings& settings, const ReadRequest& request) {
  if (settings.client_directory.empty()) {
    return {.id = request.id, .text = {}, .where = {}, .fault = "there is no such directory"};
  }
  PlaneAnswer answer = read_own_lines(settings.client_directory,
                                      settings.client_directory_is_exclusive, request.common_name);
  FileRead read{.id = request.id,
                .text = std::move(answer.text),
                .where = std::move(answer.where),
                .fault = {}};
  if (!answer.accepted) read.fault = std::move(answer.for_log);
  return read;
}

/// A FIFO in its place must not stop us.
FileOpened open_revocations(const HelperSettings& settings) {
  if (settings.revocations.empty()) return {.file = {}, .error = ENOENT};
  FileOpened opened{
      .file = UniqueFd(::open(settings.revocations.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK))};
  if (!opened.file) opened.error = errno;
  return opened;
}

/// Whether one of them is what `words` begin with.
bool is_among(const std::vector<std::vector<std::string>>& programs,
              const std::vector<std::string>& words) {
  return std::ranges::any_of(programs, [&](const std::vector<std::string>& program) {
    return !program.empty() && program.size() <= words.size() &&
           std::ranges::equal(program, std::span(words).first(program.size()));
  });
}

/// False when the socket does not take it, for the reason that errno says.
bool send_report(int socket, const HelperReport& report) {
  const std::vector<std::uint8_t> bytes = encode(report);
  iovec piece{.iov_base = const_cast<std::uint8_t*>(bytes.data()), .iov_len = bytes.size()};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(int))> beside{};
  const auto* const opened = std::get_if<FileOpened>(&report);
  if (opened != nullptr && opened->file) {
    message.msg_control = beside.data();
    message.msg_controllen = beside.size();
    cmsghdr* const head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    const int fd = opened->file.get();
    std::memcpy(CMSG_DATA(head), &fd, sizeof fd);
  }
  return ::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

/// The helper: one loop between the socket and the programs.
class Helper {
 public:
  Helper(UniqueFd socket, const HelperSettings& settings, pid_t keeper, bool is_serving)
      : settings_(settings),
        keeper_(keeper),
        socket_(std::move(socket)),
        runner_(settings.identity, settings.directory),
        is_serving_(is_serving) {}

  /// Returns when the server has gone, or has said that it is done.
  void run() {
    follow_keeper();
    while (!is_over_) {
      wait();
      take_requests();
      runner_.turn(monotonic_now());
      send_reports();
      if (is_finishing_ && runner_.is_idle() && unsent_.empty()) return;
      follow_keeper();
    }
  }

 private:
  /// Each change of its ids, for a program's files, has the kernel forget whom it dies with; and
  /// the keeper may have died meanwhile.
  void follow_keeper() {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != keeper_) is_over_ = true;
  }

  void wait() {
    std::vector<pollfd> waiting;
    const bool takes = unsent_.size() < kReportsMax && !is_finishing_;
    const int events = (takes ? POLLIN : 0) | (unsent_.empty() ? 0 : POLLOUT);
    waiting.push_back({.fd = socket_.get(), .events = static_cast<short>(events), .revents = 0});
    runner_.fill(waiting);
    int timeout = -1;
    if (const std::optional<Instant> next = runner_.next_deadline()) {
      const Duration left = std::max<Duration>(*next - monotonic_now(), Duration{0});
      timeout = static_cast<int>(left / 1ms) + 1;
    }
    if (::poll(waiting.data(), waiting.size(), timeout) < 0) return;
    // The server has gone without a word: so do we, and so does what runs for it.
    if ((waiting[0].revents & (POLLERR | POLLHUP)) != 0) is_over_ = true;
  }

  void take_requests() {
    std::vector<std::uint8_t> message(kHelperMessageMax);
    while (!is_over_ && !is_finishing_ && unsent_.size() < kReportsMax) {
      const ssize_t size = ::recv(socket_.get(), message.data(), message.size(), MSG_DONTWAIT);
      if (size < 0) return;
      if (size == 0) {
        is_over_ = true;
        return;
      }
      const Bytes received = Bytes(message).first(static_cast<std::size_t>(size));
      std::optional<HelperRequest> request = decode_request(received);
      std::ranges::fill(MutableBytes(message).first(received.size()), std::uint8_t{0});
      if (request) std::visit([&](auto& asked) { take(asked); }, *request);
    }
  }

  void take(ProgramRequest& request) {
    const bool is_named =
        request.is_privileged
            ? !is_serving_ && is_among(settings_.privileged_programs, request.words)
            : is_among(settings_.programs, request.words);
    if (is_named) return runner_.add(std::move(request));
    unsent_.emplace_back(ProgramEnd{
        .id = request.id, .output = "the configuration does not name this program", .files = {}});
  }
  void take(const ReadRequest& request) { unsent_.emplace_back(read_for(settings_, request)); }
  void take(const OpenRequest&) { unsent_.emplace_back(open_revocations(settings_)); }
  void take(const ServeRequest&) { is_serving_ = true; }
  void take(const ForgetRequest& request) { runner_.forget(request.id); }
  void take(const FinishRequest&) { is_finishing_ = true; }

  void send_reports() {
    while (std::optional<HelperReport> report = runner_.poll()) {
      unsent_.push_back(std::move(*report));
    }
    while (!unsent_.empty()) {
      if (!send_report(socket_.get(), unsent_.front())) {
        if (errno != EAGAIN && errno != ENOBUFS) is_over_ = true;
        return;
      }
      unsent_.pop_front();
    }
  }

  const HelperSettings& settings_;
  pid_t keeper_;
  UniqueFd socket_;
  ProgramRunner runner_;
  bool is_serving_;
  std::deque<HelperReport> unsent_;
  bool is_finishing_ = false;
  bool is_over_ = false;
};

/// Signals to the server's group or terminal are the server's business.
void ignore_signals() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE}) {
    ::signal(signal, SIG_IGN);
  }
  sigset_t nothing;
  ::sigemptyset(&nothing);
  ::sigprocmask(SIG_SETMASK, &nothing, nullptr);
}

}  // namespace

Result<HelperEnd> fork_keeper(UniqueFd& helpers_end) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return fail(std::strerror(errno), "the socket to the helper process");
  }
  HelperEnd end{.socket = UniqueFd(ends[0])};
  helpers_end = UniqueFd(ends[1]);
  for (const int fd : ends) {
    const int size = 4 * static_cast<int>(kHelperMessageMax);
    // Root may have more than net.core.wmem_max; a message must fit in any case.
    if (::setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) != 0) {
      ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    }
  }
  end.keeper = ::fork();
  if (end.keeper < 0) return fail(std::strerror(errno), "the helper process");
  if (end.keeper != 0) helpers_end.reset();
  return end;
}

void run_keeper(UniqueFd socket, const HelperSettings& settings) {
  ::setsid();
  ignore_signals();
  ::prctl(PR_SET_NAME, "ringway-keeper");
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  ::setrlimit(RLIMIT_CORE, &none);
  const pid_t keeper = ::getpid();
  // What it was told of service dies with it: so the first alone may run anything as root.
  for (bool is_serving = false;; is_serving = true) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::prctl(PR_SET_NAME, "ringway-helper");
      Helper(std::move(socket), settings, keeper, is_serving).run();
      ::_exit(0);
    }
    int status = 0;
    while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) ::_exit(0);
    pollfd server{.fd = socket.get(), .events = 0, .revents = 0};
    ::poll(&server, 1, kRestartDelayMs);
    if ((server.revents & (POLLERR | POLLHUP)) != 0) ::_exit(0);
    static_cast<void>(send_report(socket.get(), HelperRestarted{}));
  }
}

}  // namespace ringway

#include "dataplane/wakeup.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "base/check.h"

namespace ringway {

Result<Wakeup> Wakeup::open() {
  UniqueFd fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd) {
    return fail(std::string("cannot create an eventfd: ") + std::strerror(errno), {},
                "raise the limit of open files (ulimit -n)");
  }
  return Wakeup(std::move(fd));
}

void Wakeup::ring() const {
  const std::uint64_t one = 1;
  // EAGAIN means that the counter is full: the sleeper has been called 2^64 times already.
  const ssize_t written = ::write(fd_.get(), &one, sizeof one);
  RW_ASSERT(written == sizeof one || errno == EAGAIN || errno == EINTR);
}

void Wakeup::silence() const {
  std::uint64_t count = 0;
  const ssize_t taken = ::read(fd_.get(), &count, sizeof count);
  RW_ASSERT(taken == sizeof count || errno == EAGAIN || errno == EINTR);
}

}  // namespace ringway

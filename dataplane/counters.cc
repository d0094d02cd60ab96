#include "dataplane/counters.h"

#include <cerrno>

namespace ringway {
namespace {

constexpr int kIoErrors[] = {EAGAIN,      ENOBUFS,       ENOMEM,       EPERM,    EACCES,
                             ENETUNREACH, EHOSTUNREACH,  ECONNREFUSED, EMSGSIZE, EINVAL,
                             EIO,         EADDRNOTAVAIL, ENETDOWN};
static_assert(sizeof kIoErrors / sizeof kIoErrors[0] == kIoErrorCount - 1);

template <typename Cells, typename Values>
void load_all(const Cells& cells, Values& values) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    values[i] += cells[i].load(std::memory_order_relaxed);
  }
}

template <typename Values>
void add_all(Values& values, const Values& others) {
  for (std::size_t i = 0; i < values.size(); ++i) values[i] += others[i];
}

}  // namespace

std::size_t io_error_index(int error_number) {
  for (std::size_t i = 0; i < kIoErrorCount - 1; ++i) {
    if (kIoErrors[i] == error_number) return i;
  }
  return kIoErrorCount - 1;
}

void CounterSnapshot::add(const CounterSnapshot& other) {
  add_all(counters, other.counters);
  add_all(drops, other.drops);
  add_all(send_errors, other.send_errors);
  add_all(tun_write_errors, other.tun_write_errors);
}

void Counters::publish_core_drops(const std::array<std::uint64_t, kDropCount>& drops) {
  for (std::size_t i = 0; i < kDropCount; ++i) {
    core_drops_[i].store(drops[i], std::memory_order_relaxed);
  }
}

CounterSnapshot Counters::snapshot() const {
  CounterSnapshot values;
  load_all(counters_, values.counters);
  load_all(shell_drops_, values.drops);
  load_all(core_drops_, values.drops);
  load_all(send_errors_, values.send_errors);
  load_all(tun_write_errors_, values.tun_write_errors);
  return values;
}

}  // namespace ringway

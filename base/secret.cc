#include "base/secret.h"

#include <sodium.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <vector>

#include "base/check.h"

namespace ringway {
namespace {

/// Guarded, locked memory in places of one size, of which a Secret takes a run: what was released
/// last, if it has the length; otherwise the first that fits behind a moving hint. So clients that
/// come and go stay in the pages of those who went, and fleets that renew their keys need no long
/// scan. Not thread-safe.
class Pool {
 public:
  explicit Pool(std::size_t place_size) : place_size_(place_size) {
    for (auto& runs : released_) runs.reserve(kReleasedMax);
  }

  [[nodiscard]] bool is_mapped() const { return base_ != nullptr; }
  [[nodiscard]] std::size_t size() const { return used_.size() * place_size_; }
  [[nodiscard]] std::size_t in_use() const { return in_use_; }

  /// False, with errno set, when the memory is there but cannot be locked.
  bool map(std::size_t places) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t size = (places * place_size_ + page - 1) / page * page;
    void* map = mmap(nullptr, size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    RW_ASSERT(map != MAP_FAILED);
    base_ = static_cast<std::uint8_t*>(map) + page;
    RW_ASSERT(mprotect(base_, size, PROT_READ | PROT_WRITE) == 0);
    used_.assign(size / place_size_, false);
    (void)madvise(base_, size, MADV_DONTDUMP);
    (void)madvise(base_, size, MADV_DONTFORK);
    // Pages are locked as they come into use: room for a thousand clients costs an idle server
    // none.
    return mlock2(base_, size, MLOCK_ONFAULT) == 0;
  }

  std::uint8_t* allocate(std::size_t size) {
    const std::size_t run = places_for(size);
    std::size_t at = take_released(run);
    if (at == kNone) {
      at = find_run(run);
      RW_ASSERT(at != kNone);  // Limits are sums of named users; running out is our own mistake.
      hint_ = at + run;
    }
    for (std::size_t i = at; i < at + run; ++i) used_[i] = true;
    in_use_ += run;
    return base_ + at * place_size_;
  }

  void release(const std::uint8_t* memory, std::size_t size) {
    const std::size_t at = static_cast<std::size_t>(memory - base_) / place_size_;
    const std::size_t run = places_for(size);
    RW_ASSERT(at + run <= used_.size());
    for (std::size_t i = at; i < at + run; ++i) {
      RW_ASSERT(used_[i]);
      used_[i] = false;
    }
    in_use_ -= run;
    if (run < released_.size() && released_[run].size() < kReleasedMax) {
      released_[run].push_back(at);
    }
  }

 private:
  static constexpr std::size_t kNone = ~std::size_t{0};
  /// How many of each length are remembered, and of which lengths; others are found by scanning.
  static constexpr std::size_t kReleasedMax = 1024;
  static constexpr std::size_t kReleasedRunMax = 16;

  /// The last of that length that nobody has taken since.
  std::size_t take_released(std::size_t run) {
    if (run >= released_.size()) return kNone;
    auto& runs = released_[run];
    while (!runs.empty()) {
      const std::size_t at = runs.back();
      runs.pop_back();
      const auto first = used_.begin() + static_cast<std::ptrdiff_t>(at);
      const auto last = first + static_cast<std::ptrdiff_t>(run);
      if (std::find(first, last, true) == last) return at;
    }
    return kNone;
  }

  [[nodiscard]] std::size_t places_for(std::size_t size) const {
    return (size + place_size_ - 1) / place_size_;
  }

  [[nodiscard]] std::size_t find_run(std::size_t run) const {
    const std::size_t from_hint = find_run_between(hint_, used_.size(), run);
    return from_hint != kNone ? from_hint : find_run_between(0, used_.size(), run);
  }

  [[nodiscard]] std::size_t find_run_between(std::size_t begin, std::size_t end,
                                             std::size_t run) const {
    std::size_t free_count = 0;
    for (std::size_t i = begin; i < end; ++i) {
      free_count = used_[i] ? 0 : free_count + 1;
      if (free_count == run) return i + 1 - run;
    }
    return kNone;
  }

  std::size_t place_size_;
  std::uint8_t* base_ = nullptr;
  std::vector<bool> used_;
  /// By length.
  std::array<std::vector<std::size_t>, kReleasedRunMax + 1> released_;
  std::size_t hint_ = 0;
  std::size_t in_use_ = 0;
};

/// Both pools under one lock.
class Arena {
 public:
  Result<void> map(const SecretArena::Room& room) {
    const std::scoped_lock lock(mutex_);
    RW_ASSERT(!slots_.is_mapped());
    return map_locked(room);
  }

  std::uint8_t* allocate(std::size_t size) {
    const std::scoped_lock lock(mutex_);
    if (!slots_.is_mapped()) (void)map_locked({});
    return pool_for(size).allocate(size);
  }

  void release(std::uint8_t* memory, std::size_t size) {
    sodium_memzero(memory, size);
    const std::scoped_lock lock(mutex_);
    pool_for(size).release(memory, size);
  }

  std::size_t slots_in_use() {
    const std::scoped_lock lock(mutex_);
    return slots_.in_use();
  }
  std::size_t key_schedules_in_use() {
    const std::scoped_lock lock(mutex_);
    return key_schedules_.in_use();
  }

 private:
  /// Half of a place for key schedules and more would waste less there than it would tear apart
  /// among the slots.
  Pool& pool_for(std::size_t size) {
    return size > SecretArena::kKeyScheduleSize / 2 ? key_schedules_ : slots_;
  }

  Result<void> map_locked(const SecretArena::Room& room) {
    const bool are_locked = slots_.map(room.slots);
    const int slots_error = errno;
    const bool are_both_locked = key_schedules_.map(room.key_schedules) && are_locked;
    if (are_both_locked) return {};
    const int error = are_locked ? errno : slots_error;
    return fail("cannot lock " + std::to_string((slots_.size() + key_schedules_.size()) / 1024) +
                    " KiB for keys into memory (" + std::strerror(error) + ")",
                {}, "start as root, or raise the limit: LimitMEMLOCK= or ulimit -l");
  }

  std::mutex mutex_;
  Pool slots_{SecretArena::kSlotSize};
  Pool key_schedules_{SecretArena::kKeyScheduleSize};
};

/// Never destroyed: a Secret with static storage may outlive any other order of destruction.
Arena& arena() {
  static Arena* instance = new Arena;
  return *instance;
}

}  // namespace

Result<void> SecretArena::reserve(const Room& room) { return arena().map(room); }
std::size_t SecretArena::slots_in_use() { return arena().slots_in_use(); }
std::size_t SecretArena::key_schedules_in_use() { return arena().key_schedules_in_use(); }

namespace secret_detail {
std::uint8_t* allocate(std::size_t size) { return arena().allocate(size); }
void release(std::uint8_t* memory, std::size_t size) { arena().release(memory, size); }
}  // namespace secret_detail

void wipe(MutableBytes memory) { sodium_memzero(memory.data(), memory.size()); }

bool equal_in_constant_time(Bytes a, Bytes b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace ringway

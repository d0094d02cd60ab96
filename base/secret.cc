#include "base/secret.h"

#include <sodium.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <vector>

#include "base/check.h"

namespace ringway {
namespace {

/// Runs of 64-byte slots, first fit from a moving hint. Key changes are rare next to packets, so a
/// scan is cheap enough and fragmentation of equal-sized runs does not build up.
class Arena {
 public:
  Result<void> map(std::size_t slots) {
    const std::scoped_lock lock(mutex_);
    RW_ASSERT(base_ == nullptr);
    return map_locked(slots);
  }

  std::uint8_t* allocate(std::size_t size) {
    const std::scoped_lock lock(mutex_);
    if (base_ == nullptr) (void)map_locked(SecretArena::kDefaultSlots);
    const std::size_t run = slots_for(size);
    const std::size_t at = find_run(run);
    RW_ASSERT(at != kNone);  // Limits are sums of named users; running out is our own mistake.
    for (std::size_t i = at; i < at + run; ++i) used_[i] = true;
    hint_ = at + run;
    in_use_ += run;
    return base_ + at * SecretArena::kSlotSize;
  }

  void release(std::uint8_t* memory, std::size_t size) {
    sodium_memzero(memory, size);
    const std::scoped_lock lock(mutex_);
    const std::size_t at = static_cast<std::size_t>(memory - base_) / SecretArena::kSlotSize;
    const std::size_t run = slots_for(size);
    RW_ASSERT(at + run <= used_.size());
    for (std::size_t i = at; i < at + run; ++i) {
      RW_ASSERT(used_[i]);
      used_[i] = false;
    }
    in_use_ -= run;
  }

  std::size_t in_use() {
    const std::scoped_lock lock(mutex_);
    return in_use_;
  }

 private:
  static constexpr std::size_t kNone = ~std::size_t{0};

  static std::size_t slots_for(std::size_t size) {
    return (size + SecretArena::kSlotSize - 1) / SecretArena::kSlotSize;
  }

  Result<void> map_locked(std::size_t slots) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t size = (slots * SecretArena::kSlotSize + page - 1) / page * page;
    void* map = mmap(nullptr, size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    RW_ASSERT(map != MAP_FAILED);
    base_ = static_cast<std::uint8_t*>(map) + page;
    RW_ASSERT(mprotect(base_, size, PROT_READ | PROT_WRITE) == 0);
    used_.assign(size / SecretArena::kSlotSize, false);
    (void)madvise(base_, size, MADV_DONTDUMP);
    (void)madvise(base_, size, MADV_DONTFORK);
    if (mlock(base_, size) == 0) return {};
    return fail("cannot lock " + std::to_string(size / 1024) + " KiB for keys into memory (" +
                    std::strerror(errno) + ")",
                {}, "start as root, or raise the limit: LimitMEMLOCK= or ulimit -l");
  }

  std::size_t find_run(std::size_t run) const {
    const std::size_t from_hint = find_run_between(hint_, used_.size(), run);
    return from_hint != kNone ? from_hint : find_run_between(0, used_.size(), run);
  }

  std::size_t find_run_between(std::size_t begin, std::size_t end, std::size_t run) const {
    std::size_t free_count = 0;
    for (std::size_t i = begin; i < end; ++i) {
      free_count = used_[i] ? 0 : free_count + 1;
      if (free_count == run) return i + 1 - run;
    }
    return kNone;
  }

  std::mutex mutex_;
  std::uint8_t* base_ = nullptr;
  std::vector<bool> used_;
  std::size_t hint_ = 0;
  std::size_t in_use_ = 0;
};

/// Never destroyed: a Secret with static storage may outlive any other order of destruction.
Arena& arena() {
  static Arena* instance = new Arena;
  return *instance;
}

}  // namespace

Result<void> SecretArena::reserve(std::size_t slots) { return arena().map(slots); }
std::size_t SecretArena::slots_in_use() { return arena().in_use(); }

namespace secret_detail {
std::uint8_t* allocate(std::size_t size) { return arena().allocate(size); }
void release(std::uint8_t* memory, std::size_t size) { arena().release(memory, size); }
}  // namespace secret_detail

void wipe(MutableBytes memory) { sodium_memzero(memory.data(), memory.size()); }

bool equal_in_constant_time(Bytes a, Bytes b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace ringway

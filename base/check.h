#pragma once

/// Assertions. RW_ASSERT stays on in release builds: it guards what our own code promised, never
/// what a peer, a file or the kernel controls. RW_DCHECK is for per-byte loops only.
namespace ringway {

/// Prints the failed condition and its place to stderr and aborts.
[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace ringway

#define RW_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::ringway::check_failed(#condition, __FILE__, __LINE__))

#ifdef RINGWAY_DEBUG_CHECKS
#define RW_DCHECK(condition) RW_ASSERT(condition)
#else
#define RW_DCHECK(condition) static_cast<void>(sizeof((condition) ? 1 : 0))
#endif

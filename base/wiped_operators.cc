#include <cstdlib>
#include <new>

#include "base/check.h"
#include "base/wiped_heap.h"

// The global operators of a program that is linked with this: what it frees is wiped.

namespace ringway::wiped_heap {
namespace {

/// Without exceptions there is nobody to tell.
void* allocate_or_abort(std::size_t size) {
  void* memory = allocate(size);
  RW_ASSERT(memory != nullptr);
  return memory;
}

void* allocate_aligned(std::size_t size, std::align_val_t alignment) {
  const auto boundary = static_cast<std::size_t>(alignment);
  // A multiple of the alignment, and not nothing.
  void* memory = std::aligned_alloc(boundary, (size / boundary + 1) * boundary);
  RW_ASSERT(memory != nullptr);
  return memory;
}

}  // namespace
}  // namespace ringway::wiped_heap

// The other forms of the operators call these.
void* operator new(std::size_t size) { return ringway::wiped_heap::allocate_or_abort(size); }
void* operator new[](std::size_t size) { return ringway::wiped_heap::allocate_or_abort(size); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return ringway::wiped_heap::allocate_aligned(size, alignment);
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return ringway::wiped_heap::allocate_aligned(size, alignment);
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return ringway::wiped_heap::allocate(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return ringway::wiped_heap::allocate(size);
}
void operator delete(void* memory) noexcept { ringway::wiped_heap::release(memory); }
void operator delete[](void* memory) noexcept { ringway::wiped_heap::release(memory); }
void operator delete(void* memory, std::size_t) noexcept { ringway::wiped_heap::release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { ringway::wiped_heap::release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept {
  ringway::wiped_heap::release(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
  ringway::wiped_heap::release(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  ringway::wiped_heap::release(memory);
}
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
  ringway::wiped_heap::release(memory);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
  ringway::wiped_heap::release(memory);
}
void operator delete[](void* memory, const std::nothrow_t&) noexcept {
  ringway::wiped_heap::release(memory);
}

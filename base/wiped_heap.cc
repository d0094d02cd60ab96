#include "base/wiped_heap.h"

#include <malloc.h>
#include <sodium.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace ringway::wiped_heap {

void* allocate(std::size_t size) { return std::malloc(std::max<std::size_t>(size, 1)); }

void* reallocate(void* memory, std::size_t size) {
  if (memory == nullptr) return allocate(size);
  const std::size_t had = ::malloc_usable_size(memory);
  if (size <= had && size > 0) return memory;
  void* grown = size == 0 ? nullptr : allocate(size);
  if (grown == nullptr && size > 0) return nullptr;
  if (grown != nullptr) std::memcpy(grown, memory, std::min(had, size));
  release(memory);
  return grown;
}

void release(void* memory) {
  if (memory == nullptr) return;
  sodium_memzero(memory, ::malloc_usable_size(memory));
  std::free(memory);
}

}  // namespace ringway::wiped_heap

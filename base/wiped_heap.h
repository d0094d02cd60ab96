#pragma once

#include <cstddef>

/// A heap whose memory is overwritten when it is given back, whoever had it: the text of a key
/// file, a password in a string that has grown, the state of a TLS session (D03). Owners of keys
/// wipe them; this is for the copies that nobody thinks of.
///
/// wiped_operators.cc replaces the global operators new and delete of a program that it is linked
/// into (`wiped_operators_dep`). These functions are for libraries that let one choose their
/// allocator. Thread-safe, as malloc() is; what they cost is a memset() of what is freed, and the
/// packet path frees nothing.
namespace ringway::wiped_heap {

void* allocate(std::size_t size);
/// As realloc(); the old memory is wiped when it is left.
void* reallocate(void* memory, std::size_t size);
void release(void* memory);

}  // namespace ringway::wiped_heap

#include "base/secret_text.h"

#include <algorithm>
#include <utility>

#include "base/secret.h"

namespace ringway {

SecretText::SecretText(std::initializer_list<std::string_view> parts) {
  std::size_t wanted = 0;
  for (const std::string_view part : parts) wanted += part.size();
  const std::size_t size = std::min(wanted, kSizeMax);
  if (size == 0) return;
  memory_ = secret_detail::allocate(size);
  for (const std::string_view part : parts) {
    const std::string_view fitting = part.substr(0, size - size_);
    std::ranges::copy(bytes_of(fitting), memory_ + size_);
    size_ += fitting.size();
  }
}

SecretText::SecretText(SecretText&& other) noexcept
    : memory_(std::exchange(other.memory_, nullptr)), size_(std::exchange(other.size_, 0)) {}

SecretText& SecretText::operator=(SecretText&& other) noexcept {
  std::swap(memory_, other.memory_);
  std::swap(size_, other.size_);
  return *this;
}

SecretText::~SecretText() {
  if (memory_ != nullptr) secret_detail::release(memory_, size_);
}

SecretText SecretText::take(std::string& text) {
  SecretText taken(text);
  wipe(text);
  return taken;
}

void wipe(std::string& text) {
  // Up to the capacity: a short text that was moved from leaves its bytes behind.
  text.resize(text.capacity());
  wipe(MutableBytes(reinterpret_cast<std::uint8_t*>(text.data()), text.size()));
  text.clear();
}

}  // namespace ringway

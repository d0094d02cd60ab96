#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace ringway {

/// A password, a token or a passphrase: at most kSizeMax bytes in the SecretArena, wiped when
/// destroyed. Move-only (copies are asked for by name); never printed. An empty one takes no
/// memory.
class SecretText {
 public:
  /// As OpenVPN, built with PKCS#11, has it for a password. What is longer is cut.
  static constexpr std::size_t kSizeMax = 4095;

  SecretText() = default;
  explicit SecretText(std::string_view text) : SecretText({text}) {}
  /// The parts one behind the other.
  SecretText(std::initializer_list<std::string_view> parts);
  SecretText(SecretText&& other) noexcept;
  SecretText& operator=(SecretText&& other) noexcept;
  ~SecretText();

  /// Takes the text of an ordinary string, and wipes that.
  static SecretText take(std::string& text);

  [[nodiscard]] SecretText copy() const { return SecretText(view()); }
  [[nodiscard]] std::string_view view() const {
    return {reinterpret_cast<const char*>(memory_), size_};
  }
  [[nodiscard]] bool empty() const { return size_ == 0; }

 private:
  std::uint8_t* memory_ = nullptr;
  std::size_t size_ = 0;
};

/// Overwrites all that the text has held; it is empty then.
void wipe(std::string& text);

}  // namespace ringway

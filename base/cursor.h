#pragma once

#include <cstdint>
#include <cstring>

#include "base/bytes.h"

namespace ringway {

/// Reads big-endian fields off the wire. It cannot overrun: a read past the end returns zeros and
/// sets truncated(), which stays set, so that a parser reads like the picture of the packet and
/// checks once. Pure; borrows its input.
class ByteReader {
 public:
  explicit ByteReader(Bytes input) : rest_(input) {}

  std::uint8_t u8() {
    const Bytes field = take(1);
    return field.empty() ? std::uint8_t{0} : field[0];
  }
  std::uint16_t u16() {
    const Bytes field = take(2);
    return field.empty() ? std::uint16_t{0} : load_be16(field.data());
  }
  std::uint32_t u32() {
    const Bytes field = take(4);
    return field.empty() ? std::uint32_t{0} : load_be32(field.data());
  }
  std::uint64_t u64() {
    const Bytes field = take(8);
    return field.empty() ? std::uint64_t{0} : load_be64(field.data());
  }
  /// The next `size` bytes, or none of them (and truncated()) when fewer are left.
  Bytes take(std::size_t size) {
    if (size > rest_.size()) {
      truncated_ = true;
      rest_ = {};
      return {};
    }
    const Bytes field = rest_.first(size);
    rest_ = rest_.subspan(size);
    return field;
  }
  void copy_to(MutableBytes out) {
    const Bytes field = take(out.size());
    if (!field.empty()) std::memcpy(out.data(), field.data(), field.size());
  }
  void skip(std::size_t size) { take(size); }
  /// Everything that is left; the reader is empty afterwards.
  Bytes take_rest() { return take(rest_.size()); }

  [[nodiscard]] std::size_t left() const { return rest_.size(); }
  [[nodiscard]] bool truncated() const { return truncated_; }

 private:
  Bytes rest_;
  bool truncated_ = false;
};

/// Writes big-endian fields into a fixed buffer. Too small a buffer sets overflowed(), which stays
/// set; nothing is written past the end. Pure; borrows its output.
class ByteWriter {
 public:
  explicit ByteWriter(MutableBytes output) : output_(output) {}

  void u8(std::uint8_t value) {
    if (std::uint8_t* to = claim(1)) *to = value;
  }
  void u16(std::uint16_t value) {
    if (std::uint8_t* to = claim(2)) store_be16(to, value);
  }
  void u32(std::uint32_t value) {
    if (std::uint8_t* to = claim(4)) store_be32(to, value);
  }
  void u64(std::uint64_t value) {
    if (std::uint8_t* to = claim(8)) store_be64(to, value);
  }
  void bytes(Bytes value) {
    if (value.empty()) return;
    if (std::uint8_t* to = claim(value.size())) std::memcpy(to, value.data(), value.size());
  }
  /// Leaves room to be filled in later; empty when it does not fit.
  MutableBytes reserve(std::size_t size) {
    std::uint8_t* to = claim(size);
    return to == nullptr ? MutableBytes{} : MutableBytes{to, size};
  }

  [[nodiscard]] std::size_t size() const { return used_; }
  [[nodiscard]] std::size_t left() const { return output_.size() - used_; }
  [[nodiscard]] bool overflowed() const { return overflowed_; }
  /// What was written so far.
  [[nodiscard]] MutableBytes written() const { return output_.first(used_); }

 private:
  std::uint8_t* claim(std::size_t size) {
    if (overflowed_ || size > left()) {
      overflowed_ = true;
      return nullptr;
    }
    std::uint8_t* to = output_.data() + used_;
    used_ += size;
    return to;
  }

  MutableBytes output_;
  std::size_t used_ = 0;
  bool overflowed_ = false;
};

}  // namespace ringway

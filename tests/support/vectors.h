#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/hex.h"

/// The known answers of tests/vectors/vectors.json, each captured from real OpenVPN or recomputed
/// independently (its `source` field says how).
namespace ringway::test {

/// One entry. Asking for a field that it does not have throws, and so fails the test.
struct Vector {
  /// By name: fields that are texts, whole numbers, and lists of texts.
  std::map<std::string, std::string, std::less<>> text_fields;
  std::map<std::string, std::uint64_t, std::less<>> number_fields;
  std::map<std::string, std::vector<std::string>, std::less<>> list_fields;

  [[nodiscard]] bool has_text(std::string_view name) const;
  [[nodiscard]] bool has_number(std::string_view name) const;
  /// A text field that is hex.
  [[nodiscard]] std::vector<std::uint8_t> bytes(std::string_view name) const;
  [[nodiscard]] std::string text(std::string_view name) const;
  [[nodiscard]] std::uint64_t number(std::string_view name) const;
  [[nodiscard]] const std::vector<std::string>& texts(std::string_view name) const;
};

/// Throws, and so fails the test, when there is no such vector.
Vector load_vector(std::string_view id);

}  // namespace ringway::test

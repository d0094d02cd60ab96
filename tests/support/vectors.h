#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/hex.h"

/// The known answers of tests/vectors/vectors.json, each captured from real OpenVPN or recomputed
/// independently (its `source` field says how).
namespace ringway::test {

class Vector {
 public:
  explicit Vector(nlohmann::json fields) : fields_(std::move(fields)) {}
  [[nodiscard]] std::vector<std::uint8_t> bytes(std::string_view name) const {
    return from_hex(text(name));
  }
  [[nodiscard]] std::string text(std::string_view name) const {
    return fields_.at(std::string(name)).get<std::string>();
  }
  [[nodiscard]] const nlohmann::json& json() const { return fields_; }

 private:
  nlohmann::json fields_;
};

/// Throws, and so fails the test, when there is no such vector.
inline Vector load_vector(std::string_view id) {
  static const nlohmann::json all = nlohmann::json::parse(std::ifstream(RINGWAY_VECTORS));
  for (const auto& entry : all.at("vectors")) {
    if (entry.at("id") == std::string(id)) return Vector(entry);
  }
  throw std::runtime_error("no vector " + std::string(id));
}

}  // namespace ringway::test

#include "tests/support/vectors.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

// The JSON library is included here and nowhere else: it takes longer to compile than most tests.
namespace ringway::test {
namespace {

Vector to_vector(const nlohmann::json& entry) {
  Vector vector;
  for (const auto& [name, value] : entry.items()) {
    if (value.is_string()) vector.text_fields[name] = value.get<std::string>();
    if (value.is_number_unsigned()) vector.number_fields[name] = value.get<std::uint64_t>();
    if (value.is_array() && !value.empty() && value.front().is_string()) {
      vector.list_fields[name] = value.get<std::vector<std::string>>();
    }
  }
  return vector;
}

template <typename Fields>
const auto& field_of(const Fields& fields, std::string_view name) {
  const auto found = fields.find(name);
  if (found == fields.end()) throw std::out_of_range("no field " + std::string(name));
  return found->second;
}

}  // namespace

bool Vector::has_text(std::string_view name) const { return text_fields.contains(name); }

bool Vector::has_number(std::string_view name) const { return number_fields.contains(name); }

std::uint64_t Vector::number(std::string_view name) const { return field_of(number_fields, name); }

std::vector<std::uint8_t> Vector::bytes(std::string_view name) const {
  return from_hex(text(name));
}

std::string Vector::text(std::string_view name) const { return field_of(text_fields, name); }

const std::vector<std::string>& Vector::texts(std::string_view name) const {
  return field_of(list_fields, name);
}

Vector load_vector(std::string_view id) {
  static const nlohmann::json all = nlohmann::json::parse(std::ifstream(RINGWAY_VECTORS));
  for (const auto& entry : all.at("vectors")) {
    if (entry.at("id") == std::string(id)) return to_vector(entry);
  }
  throw std::runtime_error("no vector " + std::string(id));
}

}  // namespace ringway::test

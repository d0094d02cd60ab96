#pragma once

#include <expected>
#include <string>

namespace ringway {

/// Why something that the operator asked for cannot be done. For the world that is not as
/// configured; a bad packet is a Drop and our own bug an RW_ASSERT. Pure value.
struct Error {
  /// One sentence that says what went wrong, e.g. "cannot read the certificate".
  std::string what;
  /// "file:line", a path or an address; empty when there is none.
  std::string where;
  /// What to do about it; empty when nothing can be said.
  std::string advice;

  /// "where: what. advice" on one line.
  [[nodiscard]] std::string to_string() const {
    std::string text;
    if (!where.empty()) text += where + ": ";
    text += what;
    if (!advice.empty()) text += " — " + advice;
    return text;
  }
};

template <typename T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(std::string what, std::string where = {},
                                   std::string advice = {}) {
  return std::unexpected(Error{std::move(what), std::move(where), std::move(advice)});
}

}  // namespace ringway

#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace ringway {

/// What makes one list of pushed options another, for clients that are connected. Pure value.
struct PushChange {
  /// In the words of PUSH_UPDATE (docs/WIRE.md 7.8): all lines of a name that differ, or "-name".
  std::vector<std::string> options;
  /// Names that differ, and that no client takes this way: they count at its next login.
  std::vector<std::string> unsaid;

  static PushChange between(std::span<const std::string> before,
                            std::span<const std::string> after);
  [[nodiscard]] bool empty() const { return options.empty() && unsaid.empty(); }
};

/// How many clients a change of what is pushed concerns.
struct PushesChanged {
  /// Have been told all of it.
  std::size_t told = 0;
  /// Know all of it when they have logged in again.
  std::size_t later = 0;
};

}  // namespace ringway

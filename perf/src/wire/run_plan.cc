#include "perf/src/wire/run_plan.h"

#include <array>
#include <charconv>
#include <optional>

namespace ringway::wire {
namespace {

struct Range {
  std::uint64_t min = 0;
  std::uint64_t max = 0;
};

std::optional<std::uint64_t> number_in(std::string_view text, Range range) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (value < range.min || value > range.max) return std::nullopt;
  return value;
}

template <typename Number>
bool set_number(Number& field, std::string_view text, Range range) {
  const auto value = number_in(text, range);
  if (value) field = static_cast<Number>(*value);
  return value.has_value();
}

bool set_flag(bool& field, std::string_view text) { return set_number(field, text, {0, 1}); }

/// A word and the value that it stands for.
template <typename Enum>
struct Choice {
  std::string_view name;
  Enum value;
};
template <typename Enum>
bool set_choice(Enum& field, std::string_view text, const std::array<Choice<Enum>, 2>& choices) {
  for (const Choice<Enum>& choice : choices) {
    if (choice.name != text) continue;
    field = choice.value;
    return true;
  }
  return false;
}

bool set(RunPlan& plan, std::string_view name, std::string_view value) {
  using Direction = RunPlan::Direction;
  if (name == "direction") {
    return set_choice<Direction>(plan.direction, value,
                                 {{{"up", Direction::Up}, {"down", Direction::Down}}});
  }
  if (name == "inner") {
    return set_choice<InnerKind>(plan.inner, value,
                                 {{{"tcp", InnerKind::Tcp}, {"udp", InnerKind::Udp}}});
  }
  if (name == "clients") return set_number(plan.clients, value, {1, 60'000});
  if (name == "size") {
    return set_number(plan.packet_size, value, {InnerFlow::kPacketMin, InnerFlow::kPacketMax});
  }
  if (name == "train") return set_number(plan.train, value, {1, InnerFlow::kTrainMax});
  if (name == "burst") return set_number(plan.burst, value, {1, 1024});
  if (name == "outer-offloads") return set_flag(plan.outer_offloads, value);
  if (name == "inner-offloads") return set_flag(plan.inner_offloads, value);
  if (name == "window") return set_number(plan.window, value, {1, 100'000});
  if (name == "sample") return set_number(plan.sample, value, {1, 1'000'000});
  std::uint64_t milliseconds = 0;
  if (name != "ms" || !set_number(milliseconds, value, {1, 600'000})) return false;
  plan.duration = std::chrono::milliseconds(milliseconds);
  return true;
}

}  // namespace

std::expected<RunPlan, std::string> RunPlan::parse(std::string_view words) {
  RunPlan plan;
  std::size_t at = 0;
  while ((at = words.find_first_not_of(' ', at)) != words.npos) {
    const std::size_t end = std::min(words.find(' ', at), words.size());
    const std::string_view word = words.substr(at, end - at);
    const std::size_t equals = word.find('=');
    if (equals == word.npos || !set(plan, word.substr(0, equals), word.substr(equals + 1))) {
      return std::unexpected(std::string(word));
    }
    at = end;
  }
  return plan;
}

}  // namespace ringway::wire

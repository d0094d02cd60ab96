#include "control/check/nft_ruleset.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace ringway {
namespace {

using Json = nlohmann::json;

constexpr int kJumpsMax = 16;
/// Looked at for one question: chains that jump to one another in more ways than that are a riddle.
constexpr int kRulesMax = 100'000;

std::string text_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// A member that may be missing; null then.
const Json& member(const Json& object, const char* key) {
  static const Json kNothing;
  if (!object.is_object()) return kNothing;
  const auto found = object.find(key);
  return found == object.end() ? kNothing : *found;
}

std::string chain_key(const Json& object, const char* name) {
  return fmt::format("{} {} {}", text_at(object, "family"), text_at(object, "table"),
                     text_at(object, name));
}

bool is_number_of(const Json& value, std::uint32_t& number) {
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > 65535) return false;
  number = value.get<std::uint32_t>();
  return true;
}

/// Calls `visit` for a value, each value of a set, and the pair of a range; false for what is else.
template <typename Visit>
bool each_value(const Json& right, const Visit& visit) {
  if (const Json& set = member(right, "set"); set.is_array()) {
    return std::ranges::all_of(set, [&](const Json& value) { return each_value(value, visit); });
  }
  if (const Json& range = member(right, "range"); range.is_array() && range.size() == 2) {
    return visit(range[0], range[1]);
  }
  return visit(right, right);
}

bool device_fits(std::string_view pattern, std::string_view device) {
  if (pattern.ends_with('*')) return device.starts_with(pattern.substr(0, pattern.size() - 1));
  return pattern == device;
}

}  // namespace

/// A packet, as far as it is known.
struct NftRuleset::Question {
  std::string_view protocol;
  std::uint16_t port = 0;
  /// Incoming from anywhere: rules for one device are no answer then.
  std::string_view device;
  int rules_left = kRulesMax;
};

NftRuleset::NftRuleset(std::string_view json) {
  const Json root = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  const Json& objects = member(root, "nftables");
  if (!objects.is_array()) return;
  is_readable_ = true;
  for (const Json& object : objects) {
    if (const Json& chain = member(object, "chain"); chain.is_object()) add_chain(&chain);
    if (const Json& rule = member(object, "rule"); rule.is_object()) add_rule(&rule);
  }
}

void NftRuleset::add_chain(const void* json) {
  const Json& chain = *static_cast<const Json*>(json);
  const std::string hook = text_at(chain, "hook");
  if (hook.empty() || text_at(chain, "type") != "filter") return;
  bases_.push_back({.chain = chain_key(chain, "name"),
                    .hook = hook,
                    .drops = text_at(chain, "policy") == "drop"});
}

void NftRuleset::add_rule(const void* json) {
  const Json& object = *static_cast<const Json*>(json);
  const std::string chain = chain_key(object, "chain");
  const std::string table = chain.substr(0, chain.rfind(' ') + 1);
  Rule rule;
  const Json& statements = member(object, "expr");
  if (!statements.is_array()) return;
  for (const Json& statement : statements) {
    if (!statement.is_object() || statement.empty()) continue;
    const std::string& name = statement.begin().key();
    const Json& value = statement.begin().value();
    if (name == "accept") rule.accepts = true;
    if (name == "drop" || name == "reject") rule.drops = true;
    if (name == "jump" || name == "goto") rule.target = table + text_at(value, "target");
    if (name == "masquerade" || name == "snat") translates_ = true;
    if (name == "xt" || name == "vmap" || name == "limit") rule.has_other = true;
    if (name != "match") continue;
    const Json& left = member(value, "left");
    const Json& right = member(value, "right");
    const bool is_equal = text_at(value, "op") == "==" || text_at(value, "op") == "in";
    const std::string meta = text_at(member(left, "meta"), "key");
    const std::string field = text_at(member(left, "payload"), "field");
    const auto add_port = [&](const Json& first, const Json& last) {
      Rule::Range range;
      if (!is_number_of(first, range.first) || !is_number_of(last, range.last)) return false;
      rule.ports.push_back(range);
      return true;
    };
    const auto add_device = [&](const Json& device, const Json&) {
      if (!device.is_string()) return false;
      rule.devices.push_back(device.get<std::string>());
      return true;
    };
    bool is_known = false;
    if (is_equal && field == "dport") {
      rule.protocol = text_at(member(left, "payload"), "protocol");
      is_known = each_value(right, add_port);
    } else if (is_equal && (meta == "iifname" || meta == "iif")) {
      is_known = each_value(right, add_device);
    } else if (is_equal && meta == "l4proto" && right.is_string()) {
      rule.protocol = right.get<std::string>();
      is_known = true;
    } else if (text_at(member(left, "ct"), "key") == "state") {
      const std::string states = right.dump();
      rule.is_for_established = states.find("new") == states.npos;
      is_known = true;
    }
    rule.has_other = rule.has_other || !is_known;
  }
  rules_[chain].push_back(std::move(rule));
}

FirewallVerdict NftRuleset::incoming(std::string_view protocol, std::uint16_t port) const {
  return ask("input", {.protocol = protocol, .port = port, .device = {}});
}

FirewallVerdict NftRuleset::forwarded(std::string_view device) const {
  return ask("forward", {.protocol = {}, .port = 0, .device = device});
}

/// Every base chain of the hook has to let the packet through.
FirewallVerdict NftRuleset::ask(std::string_view hook, Question question) const {
  if (!is_readable_) return FirewallVerdict::Unclear;
  FirewallVerdict verdict = FirewallVerdict::Open;
  for (const Base& base : bases_) {
    if (base.hook != hook) continue;
    FirewallVerdict one = walk(base.chain, question, 0);
    if (one == FirewallVerdict::Open && base.drops) one = FirewallVerdict::Drops;
    if (one == FirewallVerdict::Drops) return one;
    if (one == FirewallVerdict::Unclear || verdict == FirewallVerdict::Open) verdict = one;
  }
  return verdict;
}

/// Open: the chain's end was reached, and its caller or its policy decides.
FirewallVerdict NftRuleset::walk(const std::string& chain, Question& question, int depth) const {
  if (depth > kJumpsMax) return FirewallVerdict::Unclear;
  const auto rules = rules_.find(chain);
  if (rules == rules_.end()) return FirewallVerdict::Open;
  bool is_clear = true;
  for (const Rule& rule : rules->second) {
    if (--question.rules_left < 0) return FirewallVerdict::Unclear;
    if (rule.is_for_established) continue;
    const bool other_protocol =
        !rule.protocol.empty() && !question.protocol.empty() && rule.protocol != question.protocol;
    const bool other_port =
        !rule.ports.empty() && std::ranges::none_of(rule.ports, [&](const Rule::Range& range) {
          return range.first <= question.port && question.port <= range.last;
        });
    const bool other_device =
        !rule.devices.empty() && std::ranges::none_of(rule.devices, [&](const auto& pattern) {
          return device_fits(pattern, question.device);
        });
    if (other_protocol || other_port || other_device) continue;
    FirewallVerdict verdict = FirewallVerdict::Open;
    if (rule.accepts) verdict = FirewallVerdict::Accepts;
    if (rule.drops) verdict = FirewallVerdict::Drops;
    if (!rule.target.empty()) verdict = walk(rule.target, question, depth + 1);
    if (verdict == FirewallVerdict::Open) continue;
    // A rule for some packets of this kind decides nothing about the others.
    if (!rule.has_other && verdict != FirewallVerdict::Unclear) {
      return is_clear || verdict == FirewallVerdict::Accepts ? verdict : FirewallVerdict::Unclear;
    }
    if (verdict != FirewallVerdict::Drops) is_clear = false;
  }
  return is_clear ? FirewallVerdict::Open : FirewallVerdict::Unclear;
}

}  // namespace ringway

#include "control/check/nft_ruleset.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace ringway {
namespace {

using enum FirewallVerdict;
using Json = nlohmann::json;

Json chain(const std::string& name, const std::string& hook, const std::string& policy) {
  Json object{{"family", "inet"}, {"table", "filter"}, {"name", name}};
  if (!hook.empty()) {
    object["hook"] = hook;
    object["type"] = "filter";
    object["policy"] = policy;
  }
  return {{"chain", object}};
}

Json rule(const std::string& chain, Json statements) {
  return {
      {"rule", {{"family", "inet"}, {"table", "filter"}, {"chain", chain}, {"expr", statements}}}};
}

Json match(Json left, Json right, const std::string& op = "==") {
  return {{"match", {{"op", op}, {"left", std::move(left)}, {"right", std::move(right)}}}};
}

Json udp_port(Json value) {
  return match({{"payload", {{"protocol", "udp"}, {"field", "dport"}}}}, std::move(value));
}

Json device(const std::string& name) { return match({{"meta", {{"key", "iifname"}}}}, name); }

Json jump(const std::string& chain) { return {{"jump", {{"target", chain}}}}; }

const Json kAccept = {{"accept", nullptr}};
const Json kDrop = {{"drop", nullptr}};

FirewallVerdict incoming(std::vector<Json> objects, std::uint16_t port = 1194) {
  return NftRuleset(Json{{"nftables", objects}}.dump()).incoming("udp", port);
}

TEST(NftRuleset, IsOpenWhereNothingDrops) {
  EXPECT_EQ(incoming({}), Open);
  EXPECT_EQ(incoming({chain("input", "input", "accept")}), Open);
}

TEST(NftRuleset, DropsByItsPolicyWhatNoRuleAccepts) {
  EXPECT_EQ(incoming({chain("input", "input", "drop")}), Drops);
  EXPECT_EQ(
      incoming(
          {chain("input", "input", "drop"),
           rule("input",
                {match({{"ct", {{"key", "state"}}}}, {"established", "related"}, "in"), kAccept}),
           rule("input", {device("lo"), kAccept}), rule("input", {udp_port(53), kAccept})}),
      Drops);
}

TEST(NftRuleset, AcceptsByAPortASetOrARange) {
  const Json input = chain("input", "input", "drop");
  EXPECT_EQ(incoming({input, rule("input", {udp_port(1194), kAccept})}), Accepts);
  EXPECT_EQ(incoming({input, rule("input", {udp_port({{"set", {22, 1194}}}), kAccept})}), Accepts);
  const Json range = {{"set", {22, {{"range", {1000, 2000}}}}}};
  EXPECT_EQ(incoming({input, rule("input", {udp_port(range), kAccept})}), Accepts);
  EXPECT_EQ(incoming({input, rule("input", {udp_port(range), kAccept})}, 2001), Drops);
}

TEST(NftRuleset, FollowsJumpsToOtherChains) {
  EXPECT_EQ(
      incoming({chain("input", "input", "drop"), chain("vpn", "", ""),
                rule("input", Json::array({jump("vpn")})), rule("vpn", {udp_port(1194), kAccept})}),
      Accepts);
  EXPECT_EQ(incoming({chain("input", "input", "accept"), chain("loop", "", ""),
                      rule("input", Json::array({jump("loop")})),
                      rule("loop", Json::array({jump("loop")}))}),
            Unclear);
}

TEST(NftRuleset, ObeysTheRuleThatComesFirst) {
  const Json input = chain("input", "input", "accept");
  EXPECT_EQ(incoming({input, rule("input", {udp_port(1194), kDrop}),
                      rule("input", {udp_port(1194), kAccept})}),
            Drops);
  EXPECT_EQ(incoming({input, rule("input", Json::array({kDrop}))}), Drops);
}

TEST(NftRuleset, SaysThatItCannotTellWhereAddressesOrSetsDecide) {
  const Json from = match({{"payload", {{"protocol", "ip"}, {"field", "saddr"}}}}, "192.0.2.0");
  const Json input = chain("input", "input", "drop");
  EXPECT_EQ(incoming({input, rule("input", {from, udp_port(1194), kAccept})}), Unclear);
  EXPECT_EQ(incoming({input, rule("input", {udp_port("@ports"), kAccept})}), Unclear);
  EXPECT_EQ(NftRuleset("no json").incoming("udp", 1), Unclear);
}

TEST(NftRuleset, NeedsEveryBaseChainToAgree) {
  EXPECT_EQ(incoming({chain("input", "input", "drop"), chain("other", "input", "drop"),
                      rule("input", {udp_port(1194), kAccept})}),
            Drops);
}

TEST(NftRuleset, JudgesForwardingByTheTunnelsDevice) {
  const auto forwarded = [](std::vector<Json> objects) {
    return NftRuleset(Json{{"nftables", objects}}.dump()).forwarded("tun0");
  };
  const Json forward = chain("forward", "forward", "drop");
  EXPECT_EQ(forwarded({forward}), Drops);
  EXPECT_EQ(forwarded({forward, rule("forward", {device("tun0"), kAccept})}), Accepts);
  EXPECT_EQ(forwarded({forward, rule("forward", {device("tun*"), kAccept})}), Accepts);
  EXPECT_EQ(forwarded({forward, rule("forward", {device("docker0"), kAccept})}), Drops);
}

TEST(NftRuleset, KnowsWhetherSourcesAreTranslated) {
  EXPECT_FALSE(NftRuleset(R"({"nftables": []})").translates_sources());
  const Json masquerade = rule("postrouting", Json::array({Json{{"masquerade", nullptr}}}));
  EXPECT_TRUE(
      NftRuleset(Json{{"nftables", Json::array({masquerade})}}.dump()).translates_sources());
}

TEST(NftRuleset, SurvivesWhatNoKernelSays) {
  for (const char* strange :
       {"", "[]", "{}", R"({"nftables": 3})", R"({"nftables": [3, {"rule": 4}, {"rule": {}}]})",
        R"({"nftables": [{"rule": {"chain": 5, "expr": [{}, 6, {"match": 7}]}}]})",
        R"({"nftables": [{"rule": {"chain": "c", "expr": [{"match": {"left": {"payload": 3},
            "right": {"set": {}}, "op": "=="}}]}}]})"}) {
    NftRuleset rules(strange);
    EXPECT_NE(rules.incoming("udp", 1194), Accepts) << strange;
  }
}

/// As many ways as 5^16 would take for ever.
TEST(NftRuleset, IsUnclearWhereChainsAreARiddle) {
  std::vector<Json> objects = {chain("input", "input", "drop")};
  for (int i = 0; i < 5; ++i) objects.push_back(rule("input", {jump("input")}));

  EXPECT_EQ(incoming(objects), Unclear);
}

}  // namespace
}  // namespace ringway

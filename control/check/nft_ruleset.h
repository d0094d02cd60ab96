#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

/// What `nft -j list ruleset` says of packets that come in and go through, as far as it can be told
/// without being the kernel. Pure.
namespace ringway {

enum class FirewallVerdict : std::uint8_t {
  Open,     ///< nothing drops
  Accepts,  ///< a rule for the port accepts
  Drops,    ///< the default is to drop, and no rule speaks of it
  Unclear,  ///< there are rules that cannot be judged from here
};

class NftRuleset {
 public:
  /// An unreadable text makes every answer Unclear.
  explicit NftRuleset(std::string_view json);

  /// A packet to this port of the machine, from anywhere. `protocol`: "udp" or "tcp".
  [[nodiscard]] FirewallVerdict incoming(std::string_view protocol, std::uint16_t port) const;
  /// A packet from the tunnel's device to another interface.
  [[nodiscard]] FirewallVerdict forwarded(std::string_view device) const;
  /// Whether there is a rule that translates source addresses (masquerade, snat).
  [[nodiscard]] bool translates_sources() const { return translates_; }

 private:
  struct Rule {
    bool accepts = false;
    bool drops = false;
    /// The chain of a jump or goto, in the same table; empty: none.
    std::string target;
    /// Interfaces that it is limited to, with * at the end for a prefix.
    std::vector<std::string> devices;
    /// Ports that it is limited to; empty ranges: none.
    struct Range {
      std::uint32_t first = 0;
      std::uint32_t last = 0;
    };
    std::vector<Range> ports;
    std::string protocol;
    /// It looks at something else besides: the state of a connection, addresses, sets.
    bool has_other = false;
    /// For established connections alone, or for what is no matter here.
    bool is_for_established = false;
  };
  struct Base {
    std::string chain;
    std::string hook;
    bool drops = false;
  };
  struct Question;

  void add_chain(const void* json);
  void add_rule(const void* json);
  [[nodiscard]] FirewallVerdict ask(std::string_view hook, Question question) const;
  [[nodiscard]] FirewallVerdict walk(const std::string& chain, Question& question, int depth) const;

  std::vector<Base> bases_;
  /// By chain: "family table chain".
  std::unordered_map<std::string, std::vector<Rule>> rules_;
  bool translates_ = false;
  bool is_readable_ = false;
};

}  // namespace ringway

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/check.h"
#include "control/check/nft_ruleset.h"

// What `nft -j list ruleset` has written, which is a program's word: whatever it is, each question
// has an answer within a moment, and rules that cannot be read are not taken for open doors.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ringway;
  const std::string text(text_of(Bytes(data, size)));
  constexpr std::uint16_t kPorts[] = {0, 22, 1194, 65535};
  const NftRuleset rules(text);
  for (const char* protocol : {"udp", "tcp"}) {
    for (const std::uint16_t port : kPorts) {
      RW_ASSERT(rules.incoming(protocol, port) == rules.incoming(protocol, port));
    }
  }
  static_cast<void>(rules.forwarded("tun0"));
  static_cast<void>(rules.forwarded(""));
  if (text.find("\"nftables\"") == std::string::npos && text.find('\\') == std::string::npos) {
    RW_ASSERT(rules.incoming("udp", 1194) == FirewallVerdict::Unclear);
    RW_ASSERT(!rules.translates_sources());
  }
  return 0;
}

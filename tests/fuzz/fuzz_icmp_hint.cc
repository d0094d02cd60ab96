#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"
#include "dataplane/icmp_hint.h"

// ICMP messages of strangers, as raw sockets give them: of IPv4 with the IP header, of IPv6
// without.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ringway;
  if (size == 0) return 0;
  const Bytes message = Bytes(data, size).subspan(1);
  const auto hint =
      data[0] % 2 == 0 ? read_fragmentation_needed(message) : read_packet_too_big(message);
  if (!hint) return 0;
  // A datagram of ours from one address of a family to another of the same.
  RW_ASSERT(hint->to.address.is_v4() == hint->from.address.is_v4());
  RW_ASSERT(data[0] % 2 == 1 || hint->to.address.is_v4());
  return 0;
}

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "control/address_pool.h"

// The text of an ifconfig-pool-persist file, which an operator may have edited: what fits the pool
// is taken, and written again it is read as the same. Then as many clients come as there are
// addresses, and no two have the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ringway;
  AddressPoolSettings settings;
  settings.v4 = AddressRange{*IpAddress::parse("10.8.0.2"), *IpAddress::parse("10.8.0.14")};
  settings.v6 = AddressRange{*IpAddress::parse("fd00:8::1000"), *IpAddress::parse("fd00:8::100c")};
  AddressPool pool(settings);
  const std::size_t taken = pool.load_hints(text_of(Bytes(data, size)));
  RW_ASSERT(taken <= pool.size());
  const std::string written = pool.leases_text();

  AddressPool second(settings);
  RW_ASSERT(second.load_hints(written) <= taken);
  RW_ASSERT(second.leases_text() == written);
  std::set<IpAddress> leased;
  for (std::uint64_t i = 0; i < pool.size(); ++i) {
    const auto lease = pool.acquire("newcomer " + std::to_string(i));
    RW_ASSERT(lease.has_value());
    RW_ASSERT(leased.insert(*lease->v4).second);
    RW_ASSERT(leased.insert(*lease->v6).second);
  }
  RW_ASSERT(!pool.acquire("one too many"));
  return 0;
}

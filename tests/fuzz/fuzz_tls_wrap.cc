#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/check.h"
#include "base/cursor.h"
#include "dataplane/admission/tls_wrap.h"

namespace {

using namespace ringway;

struct Ends {
  TlsWrap server;
  TlsWrap client;
};

const std::vector<Ends>& all_ends() {
  static const std::vector<Ends>* const ends = [] {
    std::array<std::uint8_t, StaticKey::kSize> raw;
    for (std::size_t i = 0; i < raw.size(); ++i) raw[i] = static_cast<std::uint8_t>(i * 7 + 1);
    const StaticKey key = StaticKey::from_bytes(raw);
    auto* made = new std::vector<Ends>;
    for (const Digest digest : {Digest::Sha1, Digest::Sha224, Digest::Sha256, Digest::Sha512}) {
      made->push_back({TlsWrap(TlsAuth(key, 0, digest)), TlsWrap(TlsAuth(key, 1, digest))});
    }
    made->push_back({TlsWrap(TlsCrypt(key, Side::Server)), TlsWrap(TlsCrypt(key, Side::Client))});
    return made;
  }();
  return *ends;
}

}  // namespace

// Raw bytes never verify. What one end wraps the other unwraps to the same, its own end refuses,
// and one flipped bit ends it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteReader reader({data, size});
  const Ends& ends = all_ends()[reader.u8() % all_ends().size()];
  const ReplayStamp stamp{.id = reader.u32(), .time = reader.u32()};
  const std::size_t flip = reader.u16();
  const Bytes plain = reader.take_rest();

  std::vector<std::uint8_t> scratch(plain.size() + TlsWrap::kOverheadMax);
  const auto raw = ends.server.unwrap(plain, scratch);
  RW_ASSERT(!raw && raw.error() == Drop::BadWrap);
  if (plain.size() < 9) return 0;

  std::vector<std::uint8_t> wrapped(plain.size() + ends.client.overhead());
  RW_ASSERT(ends.client.wrap(plain, stamp, wrapped).size() == wrapped.size());
  const auto opened = ends.server.unwrap(wrapped, scratch);
  RW_ASSERT(opened.has_value());
  RW_ASSERT(opened->stamp == stamp);
  RW_ASSERT(std::ranges::equal(opened->plain, plain));
  RW_ASSERT(!ends.client.unwrap(wrapped, scratch));

  const std::size_t bit = flip % (8 * wrapped.size());
  wrapped[bit / 8] = static_cast<std::uint8_t>(wrapped[bit / 8] ^ (1u << bit % 8));
  RW_ASSERT(!ends.server.unwrap(wrapped, scratch));
  return 0;
}

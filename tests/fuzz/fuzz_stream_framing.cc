#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/check.h"
#include "base/cursor.h"
#include "dataplane/stream_framing.h"

// One connection's bytes, cut at the places that the input names. The input: pairs of a chunk's
// length (one byte) and that chunk. For any bytes holds:
//   - cut anywhere, a stream gives the datagrams that it gives whole, and fails where it fails;
//   - every datagram has 1..kMax bytes, and written again they are the stream.

namespace ringway {
namespace {

constexpr std::size_t kMax = 100;

struct Connection {
  StreamRest rest{kMax};
  std::vector<std::uint8_t> said_again;
  bool has_failed = false;

  void receive(Bytes bytes) {
    if (has_failed) return;
    std::vector<std::uint8_t> memory(StreamRest::room(kMax));
    memory.insert(memory.end(), bytes.begin(), bytes.end());
    MutableBytes stream = rest.join(memory);
    for (;;) {
      const auto datagram = take_framed(stream, kMax);
      has_failed = !datagram.has_value();
      if (has_failed) return;
      if (!*datagram) break;
      RW_ASSERT(!(*datagram)->empty() && (*datagram)->size() <= kMax);
      const std::size_t at = said_again.size();
      said_again.resize(at + kFrameHeaderSize);
      write_frame_header(MutableBytes(said_again).subspan(at), (*datagram)->size());
      said_again.insert(said_again.end(), (*datagram)->begin(), (*datagram)->end());
    }
    RW_ASSERT(stream.size() <= StreamRest::room(kMax));
    rest.keep(stream);
  }
};

void receive(Bytes input) {
  std::vector<std::uint8_t> whole;
  Connection cut;
  ByteReader reader(input);
  while (reader.left() > 0) {
    const std::size_t wanted = reader.u8();
    const Bytes chunk = reader.take(std::min(wanted, reader.left()));
    cut.receive(chunk);
    whole.insert(whole.end(), chunk.begin(), chunk.end());
  }
  Connection at_once;
  at_once.receive(whole);
  RW_ASSERT(cut.said_again == at_once.said_again);
  RW_ASSERT(cut.has_failed == at_once.has_failed);
  RW_ASSERT(cut.said_again.size() <= whole.size());
  RW_ASSERT(std::ranges::equal(cut.said_again, Bytes(whole).first(cut.said_again.size())));
  if (!cut.has_failed) RW_ASSERT(cut.said_again.size() + cut.rest.size() == whole.size());
}

}  // namespace
}  // namespace ringway

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ringway::receive({data, size});
  return 0;
}

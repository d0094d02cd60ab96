#include "perf/src/wire/stamp.h"

#include "base/check.h"
#include "base/cursor.h"

namespace ringway::wire {

void Stamp::write(MutableBytes out) const {
  RW_ASSERT(out.size() >= kSize);
  store_be32(out.data(), client);
  store_be32(out.subspan(4).data(), sequence);
  store_be32(out.subspan(8).data(), index);
  store_be32(out.subspan(12).data(), block);
}

std::optional<Stamp> Stamp::read(Bytes payload) {
  ByteReader reader(payload);
  Stamp stamp;
  stamp.client = reader.u32();
  stamp.sequence = reader.u32();
  stamp.index = reader.u32();
  stamp.block = reader.u32();
  if (reader.truncated()) return std::nullopt;
  return stamp;
}

}  // namespace ringway::wire

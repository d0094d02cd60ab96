#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "control/pki/pki_index.h"

// An authority's index, of whoever made it: what is read is written so that it is read as the same,
// and what is refused names its line. Times by themselves as well.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ringway;
  const std::string text(text_of(Bytes(data, size)));
  if (const auto time = parse_index_time(text)) {
    const auto again = parse_index_time(index_time(*time));
    RW_ASSERT(again.has_value());
    RW_ASSERT(again->seconds == time->seconds);
  }
  const Result<std::vector<IndexEntry>> entries = parse_index(text, "index.txt");
  if (!entries) {
    RW_ASSERT(entries.error().where.starts_with("index.txt:"));
    RW_ASSERT(!entries.error().advice.empty());
    return 0;
  }
  const std::string written = index_text(*entries);
  const auto again = parse_index(written, "index.txt");
  RW_ASSERT(again.has_value());
  RW_ASSERT(again->size() == entries->size());
  RW_ASSERT(index_text(*again) == written);
  for (std::size_t i = 0; i < entries->size(); ++i) {
    RW_ASSERT((*again)[i].serial == (*entries)[i].serial);
    RW_ASSERT((*again)[i].state == (*entries)[i].state);
    RW_ASSERT((*again)[i].expires == (*entries)[i].expires);
    RW_ASSERT((*again)[i].subject == (*entries)[i].subject);
    RW_ASSERT(common_name_in((*entries)[i].subject).find('/') == std::string::npos);
  }
  return 0;
}

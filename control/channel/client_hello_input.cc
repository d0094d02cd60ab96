#include "control/channel/client_hello_input.h"

#include "base/cursor.h"

namespace ringway {
namespace {

// RFC 8446 5.1 and 4: type 1 | version 2 | length 2 | message type 1 | length 3 | ...
constexpr std::size_t kRecordHeaderSize = 5;
constexpr std::size_t kMessageHeaderSize = 4;
constexpr std::uint8_t kHandshakeRecord = 22;
constexpr std::uint8_t kClientHello = 1;

std::size_t record_size(Bytes record) { return load_be16(&record[3]); }

std::size_t message_size(Bytes record) {
  return std::size_t{record[6]} << 16 | load_be16(&record[7]);
}

}  // namespace

ClientHelloInput::Verdict ClientHelloInput::add(Bytes input) {
  if (bytes_.size() + input.size() > kSizeMax) return Verdict::IsForeign;
  bytes_.insert(bytes_.end(), input.begin(), input.end());
  if (is_foreign()) return Verdict::IsForeign;
  return is_whole() ? Verdict::IsWhole : Verdict::NeedsMore;
}

bool ClientHelloInput::is_foreign() const {
  if (bytes_.empty()) return false;
  if (bytes_[0] != kHandshakeRecord) return true;
  if (bytes_.size() < kRecordHeaderSize + kMessageHeaderSize) return false;
  return record_size(bytes_) < kMessageHeaderSize || bytes_[kRecordHeaderSize] != kClientHello ||
         message_size(bytes_) > kMessageSizeMax;
}

/// A message may be spread over several records.
bool ClientHelloInput::is_whole() const {
  if (bytes_.size() < kRecordHeaderSize + kMessageHeaderSize) return false;
  const std::size_t wanted = kMessageHeaderSize + message_size(bytes_);
  std::size_t here = 0;
  Bytes rest = bytes_;
  while (rest.size() >= kRecordHeaderSize) {
    if (rest[0] != kHandshakeRecord) return true;
    const std::size_t size = record_size(rest);
    if (rest.size() - kRecordHeaderSize < size) return false;
    here += size;
    if (here >= wanted) return true;
    rest = rest.subspan(kRecordHeaderSize + size);
  }
  return false;
}

}  // namespace ringway

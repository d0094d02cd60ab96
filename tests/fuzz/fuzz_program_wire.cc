#include "control/programs/program_wire.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/check.h"
#include "base/cursor.h"

// The messages between the server and its helper, both ways. The first byte says whether the rest
// is a message as it comes off the socket, or what a message is made of:
//   - what is taken for a message is written as the same bytes, but for flags of which only one
//     value means yes, and is taken for the same once more;
//   - what is written is taken for the same, or was too large, and then nothing is written.

namespace ringway {
namespace {

template <typename Decode>
void check_arrival(Bytes bytes, const Decode& decode) {
  const auto message = decode(bytes);
  if (!message) return;
  const std::vector<std::uint8_t> written = encode(*message);
  RW_ASSERT(written.size() == bytes.size());
  const auto again = decode(written);
  RW_ASSERT(again.has_value());
  RW_ASSERT(again->index() == message->index());
  RW_ASSERT(encode(*again) == written);
}

template <typename Message, typename Decode>
void check_departure(const Message& message, const Decode& decode) {
  const std::vector<std::uint8_t> written = encode(message);
  RW_ASSERT(written.size() <= kHelperMessageMax);
  if (written.empty()) return;
  const auto again = decode(written);
  RW_ASSERT(again.has_value());
  RW_ASSERT(again->index() == message.index());
  RW_ASSERT(encode(*again) == written);
  // No part of it is a message.
  for (std::size_t size = 0; size < std::min<std::size_t>(written.size(), 64); ++size) {
    RW_ASSERT(!decode(Bytes(written).first(size)).has_value());
  }
}

/// Repeated, so that small inputs make large messages.
std::string take_text(ByteReader& reader) {
  const std::size_t times = 1 + reader.u8() * 16u;
  const std::string part(text_of(reader.take(std::min<std::size_t>(reader.u8(), reader.left()))));
  std::string text;
  for (std::size_t i = 0; i < times && text.size() < kHelperMessageMax; ++i) text += part;
  return text;
}

std::vector<std::string> take_list(ByteReader& reader) {
  std::vector<std::string> list;
  for (std::size_t count = reader.u8() % 8; count > 0; --count) list.push_back(take_text(reader));
  return list;
}

std::vector<ProgramFile> take_files(ByteReader& reader) {
  std::vector<ProgramFile> files;
  for (std::size_t count = reader.u8() % 4; count > 0; --count) {
    files.push_back({.variable = take_text(reader),
                     .prefix = take_text(reader),
                     .content = take_text(reader),
                     .is_argument = reader.u8() % 2 == 1});
  }
  return files;
}

HelperRequest take_request(ByteReader& reader) {
  switch (reader.u8() % 6) {
    case 0: {
      ProgramRequest request;
      request.id = reader.u64();
      request.lane = take_text(reader);
      request.words = take_list(reader);
      request.environment = take_list(reader);
      request.files = take_files(reader);
      request.deferral = static_cast<Deferral>(reader.u8() % 3);
      request.files_of = reader.u64();
      request.is_privileged = reader.u8() % 2 == 1;
      return request;
    }
    case 1: {
      ReadRequest read;
      read.id = reader.u64();
      read.common_name = take_text(reader);
      return read;
    }
    case 2: return ForgetRequest{.id = reader.u64()};
    case 3: return OpenRequest{};
    case 4: return ServeRequest{};
    default: return FinishRequest{};
  }
}

HelperReport take_report(ByteReader& reader) {
  switch (reader.u8() % 5) {
    case 0: {
      ProgramEnd end;
      end.id = reader.u64();
      end.status = static_cast<int>(reader.u32());
      end.output = take_text(reader);
      end.files = take_files(reader);
      return end;
    }
    case 1: {
      ProgramDeferred deferred;
      deferred.id = reader.u64();
      deferred.notice = take_text(reader);
      return deferred;
    }
    case 2: {
      FileRead read;
      read.id = reader.u64();
      read.text = take_text(reader);
      read.where = take_text(reader);
      read.fault = take_text(reader);
      return read;
    }
    case 3: return FileOpened{.file = {}, .error = static_cast<int>(reader.u32())};
    default: return HelperRestarted{};
  }
}

}  // namespace
}  // namespace ringway

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ringway;
  ByteReader reader({data, size});
  switch (reader.u8() % 4) {
    case 0: check_arrival(reader.take_rest(), decode_request); break;
    case 1: check_arrival(reader.take_rest(), decode_report); break;
    case 2: check_departure(take_request(reader), decode_request); break;
    default: check_departure(take_report(reader), decode_report); break;
  }
  return 0;
}

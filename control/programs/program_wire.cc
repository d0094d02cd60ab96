#include "control/programs/program_wire.h"

#include <algorithm>
#include <string_view>

#include "base/cursor.h"

namespace ringway {
namespace {

/// Of one list; a limit on what a count may make us allocate.
constexpr std::uint32_t kListMax = 4096;

enum class Kind : std::uint8_t {
  Program = 1,
  Read,
  Forget,
  Finish,
  End,
  Deferred,
  FileRead,
  Restarted,
  Open,
  FileOpened,
  Serve,
};

void put(ByteWriter& out, std::string_view text) {
  out.u32(static_cast<std::uint32_t>(text.size()));
  out.bytes(bytes_of(text));
}

void put(ByteWriter& out, const std::vector<std::string>& list) {
  out.u32(static_cast<std::uint32_t>(list.size()));
  for (const std::string& text : list) put(out, text);
}

void put(ByteWriter& out, const std::vector<ProgramFile>& files) {
  out.u32(static_cast<std::uint32_t>(files.size()));
  for (const ProgramFile& file : files) {
    put(out, file.variable);
    put(out, file.prefix);
    put(out, file.content);
    out.u8(file.is_argument ? 1 : 0);
  }
}

std::string take_text(ByteReader& in) { return std::string(text_of(in.take(in.u32()))); }

std::vector<std::string> take_list(ByteReader& in) {
  std::vector<std::string> list;
  const std::uint32_t count = std::min(in.u32(), kListMax);
  for (std::uint32_t i = 0; i < count && !in.truncated(); ++i) list.push_back(take_text(in));
  return list;
}

std::vector<ProgramFile> take_files(ByteReader& in) {
  std::vector<ProgramFile> files;
  const std::uint32_t count = std::min(in.u32(), kListMax);
  for (std::uint32_t i = 0; i < count && !in.truncated(); ++i) {
    ProgramFile& file = files.emplace_back();
    file.variable = take_text(in);
    file.prefix = take_text(in);
    file.content = take_text(in);
    file.is_argument = in.u8() == 1;
  }
  return files;
}

void put_fields(ByteWriter& out, const ProgramRequest& request) {
  out.u8(static_cast<std::uint8_t>(Kind::Program));
  out.u64(request.id);
  put(out, request.lane);
  put(out, request.source);
  put(out, request.words);
  put(out, request.environment);
  put(out, request.files);
  out.u8(static_cast<std::uint8_t>(request.deferral));
  out.u64(request.files_of);
  out.u8(request.is_privileged ? 1 : 0);
  out.u8(request.is_news ? 1 : 0);
}

void put_fields(ByteWriter& out, const ReadRequest& request) {
  out.u8(static_cast<std::uint8_t>(Kind::Read));
  out.u64(request.id);
  put(out, request.common_name);
}

void put_fields(ByteWriter& out, const OpenRequest&) {
  out.u8(static_cast<std::uint8_t>(Kind::Open));
}

void put_fields(ByteWriter& out, const ServeRequest&) {
  out.u8(static_cast<std::uint8_t>(Kind::Serve));
}

void put_fields(ByteWriter& out, const ForgetRequest& request) {
  out.u8(static_cast<std::uint8_t>(Kind::Forget));
  out.u64(request.id);
}

void put_fields(ByteWriter& out, const FinishRequest&) {
  out.u8(static_cast<std::uint8_t>(Kind::Finish));
}

void put_fields(ByteWriter& out, const ProgramEnd& end) {
  out.u8(static_cast<std::uint8_t>(Kind::End));
  out.u64(end.id);
  out.u32(static_cast<std::uint32_t>(end.status));
  put(out, end.output);
  put(out, end.files);
}

void put_fields(ByteWriter& out, const ProgramDeferred& deferred) {
  out.u8(static_cast<std::uint8_t>(Kind::Deferred));
  out.u64(deferred.id);
  put(out, deferred.notice);
}

void put_fields(ByteWriter& out, const FileRead& read) {
  out.u8(static_cast<std::uint8_t>(Kind::FileRead));
  out.u64(read.id);
  put(out, read.text);
  put(out, read.where);
  put(out, read.fault);
}

void put_fields(ByteWriter& out, const FileOpened& opened) {
  out.u8(static_cast<std::uint8_t>(Kind::FileOpened));
  out.u32(static_cast<std::uint32_t>(opened.error));
}

void put_fields(ByteWriter& out, const HelperRestarted&) {
  out.u8(static_cast<std::uint8_t>(Kind::Restarted));
}

template <typename Message>
std::vector<std::uint8_t> encode_any(const Message& message) {
  std::vector<std::uint8_t> bytes(kHelperMessageMax);
  ByteWriter out(bytes);
  std::visit([&](const auto& fields) { put_fields(out, fields); }, message);
  bytes.resize(out.overflowed() ? 0 : out.size());
  // Messages wait by the thousand where the other end is slow.
  bytes.shrink_to_fit();
  return bytes;
}

ProgramRequest take_program(ByteReader& in) {
  ProgramRequest request;
  request.id = in.u64();
  request.lane = take_text(in);
  request.source = take_text(in);
  request.words = take_list(in);
  request.environment = take_list(in);
  request.files = take_files(in);
  const std::uint8_t deferral = in.u8();
  if (deferral <= static_cast<std::uint8_t>(Deferral::ByFile)) {
    request.deferral = static_cast<Deferral>(deferral);
  }
  request.files_of = in.u64();
  request.is_privileged = in.u8() == 1;
  request.is_news = in.u8() == 1;
  return request;
}

}  // namespace

std::vector<std::uint8_t> encode(const HelperRequest& request) { return encode_any(request); }
std::vector<std::uint8_t> encode(const HelperReport& report) { return encode_any(report); }

std::optional<HelperRequest> decode_request(Bytes message) {
  ByteReader in(message);
  HelperRequest request;
  switch (static_cast<Kind>(in.u8())) {
    case Kind::Program: request = take_program(in); break;
    case Kind::Read: {
      ReadRequest read;
      read.id = in.u64();
      read.common_name = take_text(in);
      request = std::move(read);
      break;
    }
    case Kind::Open: request = OpenRequest{}; break;
    case Kind::Serve: request = ServeRequest{}; break;
    case Kind::Forget: request = ForgetRequest{.id = in.u64()}; break;
    case Kind::Finish: request = FinishRequest{}; break;
    default: return std::nullopt;
  }
  if (in.truncated() || in.left() > 0) return std::nullopt;
  return request;
}

std::optional<HelperReport> decode_report(Bytes message) {
  ByteReader in(message);
  HelperReport report;
  switch (static_cast<Kind>(in.u8())) {
    case Kind::End: {
      ProgramEnd end;
      end.id = in.u64();
      end.status = static_cast<int>(in.u32());
      end.output = take_text(in);
      end.files = take_files(in);
      report = std::move(end);
      break;
    }
    case Kind::Deferred: {
      ProgramDeferred deferred{.id = in.u64(), .notice = {}};
      deferred.notice = take_text(in);
      report = std::move(deferred);
      break;
    }
    case Kind::FileRead: {
      FileRead read;
      read.id = in.u64();
      read.text = take_text(in);
      read.where = take_text(in);
      read.fault = take_text(in);
      report = std::move(read);
      break;
    }
    case Kind::FileOpened:
      report = FileOpened{.file = {}, .error = static_cast<int>(in.u32())};
      break;
    case Kind::Restarted: report = HelperRestarted{}; break;
    default: return std::nullopt;
  }
  if (in.truncated() || in.left() > 0) return std::nullopt;
  return report;
}

}  // namespace ringway

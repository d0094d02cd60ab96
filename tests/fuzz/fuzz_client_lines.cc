#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "control/config/client_file.h"

// A client's own lines, which a program may have written from what the client has said of itself.
// Whatever is wrong says where and why; what is taken keeps within its limits; and a file's name is
// never a path.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ringway;
  std::string text;
  for (std::size_t i = 0; i < size; ++i) text += static_cast<char>(data[i]);

  ClientTerms terms;
  const ClientLineNotes notes = read_client_lines(text, "client", terms);
  for (const Error& fault : notes.faults) {
    RW_ASSERT(!fault.what.empty());
    RW_ASSERT(fault.where.starts_with("client"));
  }
  RW_ASSERT(terms.routes.size() <= kClientRoutesMax);
  for (const PushEdit& edit : terms.push) {
    RW_ASSERT(edit.kind != PushEdit::Kind::Add || edit.text.find(',') == std::string::npos);
    RW_ASSERT(edit.text.find('\n') == std::string::npos);
  }
  TunnelConfig tunnel;
  tunnel.network_v4 = Prefix::parse("10.8.0.0/24");
  tunnel.network_v6 = Prefix::parse("fd00:8::/64");
  for (const Error& fault : check_client_terms(terms, tunnel)) RW_ASSERT(!fault.advice.empty());
  for (const std::string& odd : odd_client_terms(terms, tunnel)) RW_ASSERT(!odd.empty());

  if (const auto name = client_file_name(text)) {
    RW_ASSERT(name->find('/') == std::string::npos);
    RW_ASSERT(!name->empty() && *name != "." && *name != "..");
  }
  return 0;
}

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "control/check/check_report.h"
#include "control/check/inspection.h"

// `ringway check` with a file of whoever asks for help. The input: a byte of choices, and cut at
// NUL bytes the configuration, what nft said, and a client's file. For any of it there is a report;
// the one for programs is JSON with as many findings, each of a kind that the manual has.

namespace ringway {
namespace {

HostFacts host_facts(std::uint8_t bits, const std::string& nft) {
  HostFacts host;
  host.kernel = "6.1.0-18-amd64";
  host.is_root = (bits & 4) != 0;
  host.interfaces = {
      {.name = "eth0",
       .addresses = {{.address = *IpAddress::parse("192.0.2.1"), .prefix_length = 24},
                     {.address = *IpAddress::parse("2001:db8::1"), .prefix_length = 64}}},
      {.name = "tun0", .is_tun = true, .addresses = {}}};
  host.forwarding_v4 = bits >> 3 & 1;
  host.bind_v6_only = bits >> 4 & 1;
  host.nft_ruleset = nft;
  host.names["vpn.example.org"] = {.addresses = {*IpAddress::parse("192.0.2.1")}, .problem = {}};
  host.files["status.log"] = {.exists = true, .may_read = true};
  return host;
}

void check_report(const CheckReport& report) {
  for (const Finding& finding : report.findings) {
    RW_ASSERT(std::ranges::find(finding_kinds(), finding.id, &FindingKind::id) !=
              finding_kinds().end());
    RW_ASSERT(!finding.what.empty());
  }
  RW_ASSERT(std::ranges::is_sorted(report.findings, std::ranges::greater(), &Finding::severity));
  const int status = exit_status_of(report);
  RW_ASSERT(status >= 0 && status <= 2);
  const std::string text = report_text(report);
  for (const char c : text) {
    RW_ASSERT(c == '\n' || c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f));
  }
  const auto json = nlohmann::json::parse(report_json(report), nullptr, false);
  RW_ASSERT(json.is_object());
  RW_ASSERT(json["findings"].size() == report.findings.size());
}

}  // namespace
}  // namespace ringway

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ringway;
  if (size == 0) return 0;
  std::vector<std::string> parts(1);
  for (const char c : text_of(Bytes(data, size).subspan(1))) {
    if (c == 0) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  parts.resize(3);
  const FileReader read = [](const std::string& path) -> Result<std::string> {
    return fail("cannot open " + path);
  };
  const ConfigKind kind = (data[0] & 1) != 0 ? ConfigKind::Client : ConfigKind::Server;
  static_cast<void>(kind_of_config(parts[0]));
  const ConfigSurvey survey = survey_config(kind, parts[0], "server.conf", {}, read);
  const HostFacts host = host_facts(data[0], parts[1]);
  const std::vector<Error> unreadable;
  const std::vector<ClientFileText> client_files = {
      {.name = "alice", .where = "ccd/alice", .text = parts[2], .exists = true, .fault = {}}};
  check_report({.source = "server.conf",
                .kind = kind,
                .findings = inspect({.survey = survey,
                                     .unreadable = unreadable,
                                     .host = (data[0] & 2) != 0 ? &host : nullptr,
                                     .now = UnixTime{1'795'458'636},
                                     .client_files = &client_files})});
  return 0;
}

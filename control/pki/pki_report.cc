#include <algorithm>

#include "control/channel/certificate_report.h"
#include "control/channel/certificates.h"
#include "control/pki/certificate_authority.h"
#include "control/pki/pki.h"

/// What an authority says about its certificates.
namespace ringway {
namespace {

using Row = PkiReportRow;

Row::State state_at(UnixTime expires, std::int64_t days, UnixTime now) {
  constexpr std::int64_t kDay = 86'400;
  if (expires <= now) return Row::State::Expired;
  return expires.seconds - now.seconds < days * kDay ? Row::State::Due : Row::State::Valid;
}

}  // namespace

Result<Row> Pki::report_authority() const {
  const Result<std::string> text = folder_.read("ca.crt");
  if (!text) return std::unexpected(text.error());
  const auto reports = report_certificates(*text, folder_.path_of("ca.crt"));
  if (!reports) return std::unexpected(reports.error());
  return Row{.kind = Row::Kind::Authority,
             .name = reports->front().subject,
             .expires = reports->front().not_after};
}

Result<std::optional<Row>> Pki::report_revocations() const {
  if (!folder_.has("crl.pem")) return std::optional<Row>();
  const Result<std::string> text = folder_.read("crl.pem");
  if (!text) return std::unexpected(text.error());
  const auto reports = ringway::report_revocations(*text, folder_.path_of("crl.pem"));
  if (!reports) return std::unexpected(reports.error());
  return std::optional<Row>(Row{.kind = Row::Kind::RevocationList,
                                .name = "crl.pem",
                                .expires = reports->front().next_update});
}

Row Pki::report_entry(const IndexEntry& entry) const {
  Row row{.name = common_name_in(entry.subject), .serial = entry.serial, .expires = entry.expires};
  if (row.name.empty()) row.name = entry.subject;
  if (entry.state == IndexEntry::State::Revoked) row.state = Row::State::Revoked;
  // Only the certificate tells what it is for, and only one in force is where its name says.
  const std::string file = "issued/" + row.name + ".crt";
  if (!check_pki_name(row.name) || !folder_.has(file)) return row;
  const Result<std::string> text = folder_.read(file);
  const auto parsed = text ? parse_certificates(*text, file)
                           : Result<std::vector<openssl::CertificatePtr>>(fail("unreadable"));
  if (!parsed || serial_of(parsed->front().get()) != entry.serial) return row;
  if (has_tls_role(parsed->front().get(), Side::Server)) row.kind = Row::Kind::Server;
  if (has_tls_role(parsed->front().get(), Side::Client)) row.kind = Row::Kind::Client;
  return row;
}

Result<std::vector<Row>> Pki::report(std::int64_t days, UnixTime now) const {
  std::vector<Row> rows;
  const auto authority = report_authority();
  if (!authority) return std::unexpected(authority.error());
  rows.push_back(*authority);
  const auto list = report_revocations();
  if (!list) return std::unexpected(list.error());
  if (*list) rows.push_back(**list);
  for (const IndexEntry& entry : index_) rows.push_back(report_entry(entry));
  for (Row& row : rows) {
    if (row.state != Row::State::Revoked) row.state = state_at(row.expires, days, now);
  }
  std::ranges::stable_sort(rows.begin() + (*list ? 2 : 1), rows.end(), {}, &Row::expires);
  return rows;
}

}  // namespace ringway

#include <fmt/format.h>

#include <string_view>

#include "control/channel/certificate_report.h"
#include "control/check/inspection.h"

/// Certificates, keys and revocation lists at the time of the check.
namespace ringway {
namespace {

constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kCertificateDays = 30;
constexpr std::int64_t kRevocationDays = 7;
/// NIST SP 800-57: RSA of 2048 bits, P-224. OpenSSL's security level 2 refuses less.
constexpr int kSecurityBitsMin = 112;

void add_unreadable(const Error& error, FindingList& findings) {
  findings.add("cert-unreadable",
               {.where = error.where, .what = error.what, .write = error.advice});
}

void check_time(std::string_view option, const CertificateReport& report, const FileOrInline& file,
                UnixTime now, FindingList& findings) {
  const std::string who = fmt::format("`{}`: the certificate {}", option, report.subject);
  const std::int64_t left = report.not_after.seconds - now.seconds;
  if (report.not_before > now) {
    findings.add("cert-not-yet-valid",
                 {.where = file.where,
                  .what = who + " is not valid yet",
                  .why = "the other end refuses it; this machine's clock may be wrong",
                  .write = "see that `date` is right, or make the certificate anew"});
  } else if (left <= 0) {
    findings.add("cert-expired", {.where = file.where,
                                  .what = who + " has expired",
                                  .why = "the other end refuses it",
                                  .write = "renew it, and name the new file here"});
  } else if (left < kCertificateDays * kDay) {
    findings.add("cert-expires", {.where = file.where,
                                  .what = fmt::format("{} expires in {} days", who, left / kDay),
                                  .why = "from then on nobody connects",
                                  .write = "renew it, and name the new file here"});
  }
}

void check_strength(std::string_view option, const CertificateReport& report,
                    const FileOrInline& file, FindingList& findings) {
  const std::string who = fmt::format("`{}`: the certificate {}", option, report.subject);
  if (report.security_bits > 0 && report.security_bits < kSecurityBitsMin) {
    findings.add(
        "key-weak",
        {.where = file.where,
         .what = fmt::format("{} has a key of {} {} bits", who, report.key_type, report.key_bits),
         .why = "it can be broken, and stock clients refuse it",
         .write = "a new key: EC prime256v1, Ed25519, or RSA of 2048 bits and more"});
  }
  // Nobody checks the signature of a root: it is trusted as it is.
  if (report.has_weak_signature && !report.is_self_signed) {
    findings.add("signature-weak",
                 {.where = file.where,
                  .what = fmt::format("{} is signed with {}", who, report.signature),
                  .why = "such signatures can be forged, and stock clients refuse them",
                  .write = "make it anew with SHA-256"});
  }
}

void check_chain(std::string_view option, const FileOrInline& file, const Inspection& inspection,
                 FindingList& findings) {
  if (file.text.empty()) return;
  const auto reports = report_certificates(file.text, file.where);
  if (!reports) return add_unreadable(reports.error(), findings);
  for (const CertificateReport& report : *reports) {
    check_time(option, report, file, inspection.now, findings);
    check_strength(option, report, file, findings);
  }
  if (option != "cert") return;
  const bool is_server = inspection.survey.kind == ConfigKind::Server;
  const CertificateReport& own = reports->front();
  if (is_server ? own.may_serve : own.may_be_client) return;
  findings.add("cert-role", {.where = file.where,
                             .what = fmt::format(
                                 "`cert`: the certificate {} is not made for a {} (key usage and "
                                 "extended key usage)",
                                 own.subject, is_server ? "server" : "client"),
                             .why = is_server ? "clients with `remote-cert-tls server` refuse it"
                                              : "servers with `remote-cert-tls client` refuse it",
                             .write = fmt::format("make it anew with extendedKeyUsage = {}",
                                                  is_server ? "serverAuth" : "clientAuth")});
}

void check_key(const TlsConfig& tls, ConfigKind kind, FindingList& findings) {
  if (tls.key.text.empty() || tls.cert.text.empty()) return;
  // A client asks for the passphrase; here nobody is asked.
  if (kind == ConfigKind::Client && tls.key.text.contains("ENCRYPTED")) return;
  const std::string_view words = tls.key_passphrase.text;
  const auto fits = key_fits(tls.cert.text, tls.cert.where, tls.key.text, tls.key.where,
                             words.substr(0, words.find_first_of("\r\n")));
  if (!fits) {
    // A certificate that cannot be read has been told of.
    if (fits.error().where == tls.key.where) add_unreadable(fits.error(), findings);
    return;
  }
  if (*fits) return;
  findings.add("key-mismatch", {.where = tls.key.where,
                                .what = "`key` is not the private key of `cert`",
                                .why = "the TLS handshake cannot succeed",
                                .write = "the key that the certificate was made with"});
}

void check_revocations(const TlsConfig& tls, UnixTime now, FindingList& findings) {
  if (tls.crl.text.empty() || tls.crl_is_directory) return;
  const auto reports = report_revocations(tls.crl.text, tls.crl.where);
  if (!reports) return add_unreadable(reports.error(), findings);
  for (const RevocationReport& report : *reports) {
    if (report.next_update.seconds == 0) continue;
    const std::int64_t left = report.next_update.seconds - now.seconds;
    if (left <= 0) {
      findings.add("crl-expired",
                   {.where = tls.crl.where,
                    .what = "`crl-verify`: the revocation list has expired",
                    .why = "the server does not start with it, and one that runs keeps the old one",
                    .write = "make it anew (`ringway pki crl`, `easyrsa gen-crl`)"});
    } else if (left < kRevocationDays * kDay) {
      findings.add(
          "crl-expires",
          {.where = tls.crl.where,
           .what = fmt::format("`crl-verify`: the revocation list expires in {} days", left / kDay),
           .why = "from then on the server does not start with it",
           .write = "make it anew (`ringway pki crl`, `easyrsa gen-crl`), and do so regularly"});
    }
  }
}

}  // namespace

void check_certificates(const Inspection& inspection, FindingList& findings) {
  const TlsConfig& tls = inspection.survey.draft.config.tls;
  check_chain("ca", tls.ca, inspection, findings);
  check_chain("cert", tls.cert, inspection, findings);
  check_key(tls, inspection.survey.kind, findings);
  check_revocations(tls, inspection.now, findings);
}

}  // namespace ringway

#include "control/pki/pki.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/secret_text.h"
#include "control/channel/certificates.h"
#include "control/key_files.h"
#include "control/pki/certificate_authority.h"
#include "control/pki/pki_keys.h"

namespace ringway {
namespace {

using State = IndexEntry::State;

constexpr mode_t kPublic = 0644;
constexpr mode_t kSecret = 0600;
constexpr std::int64_t kDaysMax = 36'500;

Result<void> write_secret(PkiFolder& folder, std::string_view name, std::string text) {
  Result<void> written = folder.write(name, text, kSecret);
  wipe(text);
  return written;
}

Result<void> check_days(std::int64_t days) {
  if (days >= 1 && days <= kDaysMax) return {};
  return fail(fmt::format("{} days cannot be", days), "--days",
              fmt::format("write 1 to {}", kDaysMax));
}

std::string certificate_file(std::string_view name) { return fmt::format("issued/{}.crt", name); }
std::string key_file(std::string_view name) { return fmt::format("private/{}.key", name); }

Result<openssl::CertificatePtr> read_certificate(const PkiFolder& folder, const std::string& name) {
  const Result<std::string> text = folder.read(name);
  if (!text) return std::unexpected(text.error());
  auto parsed = parse_certificates(*text, folder.path_of(name));
  if (!parsed) return std::unexpected(parsed.error());
  return std::move(parsed->front());
}

Result<openssl::KeyPtr> read_authority_key(const PkiFolder& folder,
                                           const PassphraseSource& passphrase) {
  Result<std::string> text = folder.read("private/ca.key");
  if (!text) {
    return fail("the authority's key is not here: " + text.error().what, folder.path(),
                "run this where private/ca.key is; nothing can be signed without it");
  }
  std::string words;
  if (is_encrypted_key(*text)) {
    Result<std::string> asked = passphrase();
    if (!asked) return std::unexpected(asked.error());
    words = std::move(*asked);
  }
  auto key = parse_private_key(*text, folder.path_of("private/ca.key"), words);
  wipe(*text);
  wipe(words);
  return key;
}

Result<Authority> read_authority(const PkiFolder& folder, const PassphraseSource& passphrase) {
  auto certificate = read_certificate(folder, "ca.crt");
  if (!certificate) return std::unexpected(certificate.error());
  auto key = read_authority_key(folder, passphrase);
  if (!key) return std::unexpected(key.error());
  if (X509_check_private_key(certificate->get(), key->get()) != 1) {
    static_cast<void>(openssl::take_errors());
    return fail("private/ca.key is not the key of ca.crt", folder.path(),
                "take both from the same backup");
  }
  return Authority{std::move(*certificate), std::move(*key)};
}

bool is_in_force(const IndexEntry& entry, UnixTime now) {
  return entry.state == State::Valid && entry.expires > now;
}

Result<std::string> no_passphrase() { return std::string(); }

/// What of a certificate the index keeps.
IndexEntry entry_of(const X509* certificate, UnixTime expires) {
  return {.state = State::Valid,
          .expires = expires,
          .serial = serial_of(certificate),
          .subject = subject_of(certificate)};
}

}  // namespace

Result<void> check_pki_name(std::string_view name) {
  constexpr std::string_view kLetters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  constexpr std::string_view kMarks = "._-@";
  const bool is_good = !name.empty() && name.size() <= 64 &&
                       kLetters.find(name.front()) != std::string_view::npos &&
                       std::ranges::all_of(name, [&](char c) {
                         return kLetters.find(c) != std::string_view::npos ||
                                kMarks.find(c) != std::string_view::npos;
                       });
  if (!is_good) {
    return fail(fmt::format("`{}` cannot be the name of a certificate", name), "NAME",
                "use letters, digits and . _ - @, 64 at most, and a letter or digit first");
  }
  if (name != "ca" && name != "tls-crypt-v2") return {};
  return fail(fmt::format("`{}` is the name of a file of the authority itself", name), "NAME",
              "choose another name");
}

Result<Pki> Pki::create(const std::string& path, const Setup& setup, RandomSource& random,
                        UnixTime now) {
  for (const std::int64_t days : {setup.days, setup.crl_days}) {
    if (auto checked = check_days(days); !checked) return std::unexpected(checked.error());
  }
  const Result<KeyKind> kind = parse_key_kind(setup.algorithm);
  if (!kind) return std::unexpected(kind.error());
  if (setup.common_name.empty() || setup.common_name.size() > 64) {
    return fail("the authority's name must have 1 to 64 bytes", "--name");
  }
  auto folder = PkiFolder::create(path);
  if (!folder) return std::unexpected(folder.error());

  const openssl::KeyPtr key = make_key(*kind);
  const openssl::CertificatePtr certificate =
      make_authority(key.get(), setup.common_name, validity_of(now, setup.days), random);
  Pki pki(std::move(*folder), {},
          [words = setup.passphrase]() -> Result<std::string> { return words; });
  PkiFolder& files = pki.folder_;
  auto written =
      write_secret(files, "private/ca.key", private_key_text(key.get(), setup.passphrase));
  if (written) {
    written =
        write_secret(files, "private/tls-crypt-v2.key", make_tls_crypt_v2_server_file(random));
  }
  if (written) written = files.write("ca.crt", certificate_text(certificate.get()), kPublic);
  if (written) written = pki.write_index();
  if (written) written = pki.write_revocations(setup.crl_days, now);
  if (!written) return std::unexpected(written.error());
  return pki;
}

Result<Pki> Pki::open(const std::string& path, PassphraseSource passphrase) {
  auto folder = PkiFolder::open(path);
  if (!folder) return std::unexpected(folder.error());
  const Result<std::string> text = folder->read("index.txt");
  if (!text) return std::unexpected(text.error());
  auto index = parse_index(*text, folder->path_of("index.txt"));
  if (!index) return std::unexpected(index.error());
  return Pki(std::move(*folder), std::move(*index),
             passphrase ? std::move(passphrase) : PassphraseSource(no_passphrase));
}

Result<void> Pki::write_index() {
  // easy-rsa and `openssl ca` read it again, and refuse a second certificate of a subject
  // otherwise.
  if (!folder_.has("index.txt.attr")) {
    if (auto written = folder_.write("index.txt.attr", "unique_subject = no\n", kSecret);
        !written) {
      return written;
    }
  }
  return folder_.write("index.txt", index_text(index_), kSecret);
}

bool Pki::has(std::string_view name, UnixTime now) const {
  return std::ranges::any_of(index_, [&](const IndexEntry& entry) {
    return is_in_force(entry, now) && common_name_in(entry.subject) == name;
  });
}

Result<void> Pki::issue(const Issue& terms, RandomSource& random, UnixTime now) {
  if (auto checked = check_pki_name(terms.name); !checked) return checked;
  if (auto checked = check_days(terms.days); !checked) return checked;
  const Result<KeyKind> kind = parse_key_kind(terms.algorithm);
  if (!kind) return std::unexpected(kind.error());
  if (has(terms.name, now)) {
    return fail(fmt::format("`{}` has a certificate that is in force", terms.name),
                folder_.path_of("index.txt"),
                fmt::format("`ringway pki renew {0}` prolongs it; `ringway pki revoke {0}` makes "
                            "the name free again",
                            terms.name));
  }
  const Result<Authority> authority = read_authority(folder_, passphrase_);
  if (!authority) return std::unexpected(authority.error());
  const openssl::KeyPtr key = make_key(*kind);
  const Validity validity = validity_of(now, terms.days);
  std::vector<std::string> names = terms.alternative_names;
  if (names.empty() && terms.role == Side::Server && is_host_name(terms.name)) {
    names.push_back(terms.name);
  }
  const auto certificate = sign_certificate(*authority, key.get(),
                                            {.common_name = terms.name,
                                             .role = terms.role,
                                             .alternative_names = std::move(names),
                                             .validity = validity},
                                            random);
  if (!certificate) return std::unexpected(certificate.error());
  index_.push_back(entry_of(certificate->get(), validity.until));
  if (auto written = write_index(); !written) return written;
  auto written = write_secret(folder_, key_file(terms.name), private_key_text(key.get(), {}));
  if (!written) return written;
  return folder_.write(certificate_file(terms.name), certificate_text(certificate->get()), kPublic);
}

Result<void> Pki::renew(const Renewal& terms, RandomSource& random, UnixTime now) {
  if (auto checked = check_pki_name(terms.name); !checked) return checked;
  if (auto checked = check_days(terms.days); !checked) return checked;
  const std::string file = certificate_file(terms.name);
  if (!folder_.has(file)) {
    return fail(fmt::format("there is no certificate of `{}`", terms.name), folder_.path_of(file),
                "`ringway pki report` lists the names");
  }
  const auto old = read_certificate(folder_, file);
  if (!old) return std::unexpected(old.error());
  const std::string serial = serial_of(old->get());
  const auto entry = std::ranges::find(index_, serial, &IndexEntry::serial);
  if (entry == index_.end() || entry->state == State::Revoked) {
    return fail(fmt::format("the certificate of `{}` is {}", terms.name,
                            entry == index_.end() ? "not in the index" : "revoked"),
                folder_.path_of("index.txt"), "make a new one under another name");
  }
  const Result<Authority> authority = read_authority(folder_, passphrase_);
  if (!authority) return std::unexpected(authority.error());
  const Validity validity = validity_of(now, terms.days);
  const auto renewed = prolong_certificate(*authority, old->get(), validity, random);
  if (!renewed) return std::unexpected(renewed.error());
  index_.push_back(entry_of(renewed->get(), validity.until));
  if (auto written = write_index(); !written) return written;
  auto kept =
      folder_.write(fmt::format("renewed/{}.crt", serial), certificate_text(old->get()), kSecret);
  if (!kept) return kept;
  return folder_.write(file, certificate_text(renewed->get()), kPublic);
}

Result<std::size_t> Pki::revoke(const std::string& name, std::int64_t crl_days, UnixTime now) {
  if (auto checked = check_days(crl_days); !checked) return std::unexpected(checked.error());
  std::vector<std::string> serials;
  bool was_revoked = false;
  for (IndexEntry& entry : index_) {
    if (common_name_in(entry.subject) != name || entry.expires <= now) continue;
    was_revoked |= entry.state == State::Revoked;
    if (entry.state == State::Revoked) continue;
    entry.state = State::Revoked;
    entry.revoked_at = now;
    serials.push_back(entry.serial);
  }
  if (serials.empty() && !was_revoked) {
    return fail(fmt::format("no certificate in force has the name `{}`", name),
                folder_.path_of("index.txt"), "`ringway pki report` lists the names");
  }
  // The key is asked for first: an index without a list that says the same would deceive.
  const Result<Authority> authority = read_authority(folder_, passphrase_);
  if (!authority) return std::unexpected(authority.error());
  if (auto written = write_index(); !written) return std::unexpected(written.error());
  const openssl::CrlPtr list = sign_revocations(*authority, index_, validity_of(now, crl_days));
  auto done = folder_.write("crl.pem", revocation_text(list.get()), kPublic);
  // A run that was cut short is made whole by another.
  if (serials.empty()) return done ? Result<std::size_t>(0) : std::unexpected(done.error());
  const std::string& serial = serials.back();
  if (done) {
    done =
        folder_.move(certificate_file(name), fmt::format("revoked/certs_by_serial/{}.crt", serial));
  }
  if (done) {
    done = folder_.move(key_file(name), fmt::format("revoked/private_by_serial/{}.key", serial));
  }
  if (!done) return std::unexpected(done.error());
  return serials.size();
}

Result<void> Pki::write_revocations(std::int64_t days, UnixTime now) {
  if (auto checked = check_days(days); !checked) return checked;
  const Result<Authority> authority = read_authority(folder_, passphrase_);
  if (!authority) return std::unexpected(authority.error());
  const openssl::CrlPtr list = sign_revocations(*authority, index_, validity_of(now, days));
  return folder_.write("crl.pem", revocation_text(list.get()), kPublic);
}

}  // namespace ringway

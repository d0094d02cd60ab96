#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "base/time.h"
#include "control/pki/pki_folder.h"
#include "control/pki/pki_index.h"
#include "dataplane/admission/wrap_types.h"

namespace ringway {

/// The passphrase of the authority's key, asked for only when it is encrypted.
using PassphraseSource = std::function<Result<std::string>()>;

/// A line of `ringway pki report`.
struct PkiReportRow {
  enum class Kind : std::uint8_t { Authority, RevocationList, Server, Client, Unknown };
  enum class State : std::uint8_t { Valid, Due, Expired, Revoked };
  Kind kind = Kind::Unknown;
  State state = State::Valid;
  std::string name;
  std::string serial;
  UnixTime expires;
};

/// An authority in a folder: its certificates, and what became of them. Errors say what to do.
///
/// The order of writing is such that a certificate that exists is always in the index: what is cut
/// short leaves an entry that can be revoked, never a certificate that nobody knows of.
///
/// SHELL: files, through PkiFolder; holds its lock.
class Pki {
 public:
  struct Setup {
    std::string common_name = "Ringway CA";
    /// As parse_key_kind() takes it.
    std::string algorithm = "p256";
    std::int64_t days = 3650;
    std::int64_t crl_days = 180;
    /// Encrypts the authority's key; empty: it is not encrypted.
    std::string passphrase;
  };
  struct Issue {
    std::string name;
    Side role = Side::Client;
    /// Of a server without any: its name, where that is one of a host.
    std::vector<std::string> alternative_names;
    std::string algorithm = "p256";
    std::int64_t days = 825;
  };
  struct Renewal {
    std::string name;
    std::int64_t days = 825;
  };

  /// A new folder, with an empty revocation list and a server's key for tls-crypt-v2.
  static Result<Pki> create(const std::string& path, const Setup& setup, RandomSource& random,
                            UnixTime now);
  static Result<Pki> open(const std::string& path, PassphraseSource passphrase);

  /// A key and a certificate under a name that has none in force.
  Result<void> issue(const Issue& terms, RandomSource& random, UnixTime now);
  /// A new certificate for the key that there is; the old one stays in force until it expires or
  /// the name is revoked. An easy-rsa folder's, too.
  Result<void> renew(const Renewal& terms, RandomSource& random, UnixTime now);
  /// Takes back all certificates in force under the name, renewed ones included, and makes a new
  /// revocation list. Returns how many there were; 0 when all had been revoked before.
  Result<std::size_t> revoke(const std::string& name, std::int64_t crl_days, UnixTime now);
  /// A new revocation list that is good for `days`.
  Result<void> write_revocations(std::int64_t days, UnixTime now);
  /// All that is in force, and the revoked ones; what ends within `days` is due.
  Result<std::vector<PkiReportRow>> report(std::int64_t days, UnixTime now) const;

  [[nodiscard]] const PkiFolder& folder() const { return folder_; }
  /// Whether a certificate of that name is in force.
  [[nodiscard]] bool has(std::string_view name, UnixTime now) const;

 private:
  Pki(PkiFolder folder, std::vector<IndexEntry> index, PassphraseSource passphrase)
      : folder_(std::move(folder)), index_(std::move(index)), passphrase_(std::move(passphrase)) {}
  Result<void> write_index();
  Result<PkiReportRow> report_authority() const;
  Result<std::optional<PkiReportRow>> report_revocations() const;
  PkiReportRow report_entry(const IndexEntry& entry) const;

  PkiFolder folder_;
  std::vector<IndexEntry> index_;
  PassphraseSource passphrase_;
};

/// Names become file names and common names, and reach scripts: letters, digits and ". _ - @", 64
/// at most, a letter or digit first.
Result<void> check_pki_name(std::string_view name);

}  // namespace ringway

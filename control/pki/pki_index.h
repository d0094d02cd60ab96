#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"

/// The list of all certificates that an authority has made, in the format of `openssl ca` and
/// easy-rsa: one a line, fields separated by tabs. Pure.
///
///     V  YYMMDDHHMMSSZ  <revoked[,reason]>  SERIAL  <file>  /CN=alice
namespace ringway {

struct IndexEntry {
  enum class State : std::uint8_t { Valid, Revoked, Expired } state = State::Valid;
  UnixTime expires;
  /// Of revoked ones.
  UnixTime revoked_at;
  /// "keyCompromise" and the like, as written; usually empty.
  std::string reason;
  /// Upper-case hexadecimal, whole bytes.
  std::string serial;
  std::string file = "unknown";
  /// "/CN=alice", or with more of a name.
  std::string subject;
};

/// The error names `where` and the line.
Result<std::vector<IndexEntry>> parse_index(std::string_view text, const std::string& where);
std::string index_text(const std::vector<IndexEntry>& entries);
/// "alice" of "/C=DE/CN=alice/emailAddress=a@example.org"; empty when there is none.
std::string common_name_in(std::string_view subject);

/// "261130235959Z", and with four digits of the year before 1950 and from 2050 on (RFC 5280
/// 4.1.2.5).
std::string index_time(UnixTime time);
std::optional<UnixTime> parse_index_time(std::string_view text);

}  // namespace ringway

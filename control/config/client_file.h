#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "control/config/client_terms.h"

/// The lines of one client: of its file in `client-config-dir`, or of what a `client-connect`
/// program has written. Pure.
namespace ringway {

/// Who has no file of its own.
inline constexpr std::string_view kDefaultClientFile = "DEFAULT";
/// Larger ones are refused.
inline constexpr std::size_t kClientFileSizeMax = std::size_t{256} << 10;
inline constexpr std::size_t kClientRoutesMax = 4096;
inline constexpr std::size_t kClientPushesMax = 512;

/// The name of a client's file: its common name, with `_` for slashes and control characters, as
/// with OpenVPN. Nothing for a name that is none: empty, `.`, `..`, longer than 255 bytes.
std::optional<std::string> client_file_name(std::string_view common_name);

/// What is wrong with lines, and what is nothing to the client.
struct ClientLineNotes {
  /// The client is refused for these: the lines cannot be had as they are meant.
  std::vector<Error> faults;
  /// Lines that are passed over, each with its place and the reason; for the log.
  std::vector<std::string> passed_over;
};

/// Adds what `text` says to `terms`; later lines win, those that add up are added. `where` names
/// the text in messages.
ClientLineNotes read_client_lines(std::string_view text, const std::string& where,
                                  ClientTerms& terms);

/// What is wrong with the addresses and networks, beside the server's own.
std::vector<Error> check_client_terms(const ClientTerms& terms, const TunnelConfig& tunnel);
/// What is odd about them, and let be, as with OpenVPN.
std::vector<std::string> odd_client_terms(const ClientTerms& terms, const TunnelConfig& tunnel);

/// The table of the manual, as Markdown.
std::string client_file_reference();

}  // namespace ringway

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "control/config/config_draft.h"

/// Every option of OpenVPN 2.4 to 2.7 by name, and what Ringway does with it: one table for a
/// server's configuration and one for a client's profile. Each is the one list behind the parser,
/// --help and the manual (docs/CONFIG.md, docs/CLIENT.md). Pure; constant.
///
/// The rule: an option whose silent loss would change who gets in, what is protected or what can be
/// reached is refused; one whose loss is harmless is accepted, and start-up says so.
namespace ringway {

enum class OptionStatus : std::uint8_t { Works, NoEffect, Refused };

/// Whose options are meant.
enum class ConfigKind : std::uint8_t { Server, Client };

struct ParameterCount {
  std::uint8_t min = 0;
  std::uint8_t max = 0;
};

/// What a line of an option looks like. Borrows its texts.
struct LineShape {
  std::string_view name;
  /// The parameters, e.g. "NETWORK MASK [nopool]".
  std::string_view usage;
  ParameterCount parameters;
  /// May be given as <name>...</name>, in place of its first parameter.
  bool may_be_inline = false;
};
/// Refuses a line of another shape, and says what to write.
Result<void> check_shape(const LineShape& shape, const ConfigLine& line);

/// Stores one line in the draft. The number of parameters has been checked.
using ApplyOption = Result<void> (*)(ConfigDraft&, const ConfigLine&);

struct OptionRow {
  std::string_view name;
  OptionStatus status = OptionStatus::Refused;
  /// Works: the parameters, e.g. "NETWORK MASK [nopool]".
  std::string_view usage;
  /// Works: what it does. NoEffect and Refused: why, as the rest of a sentence that begins with the
  /// option's name.
  std::string_view text;
  /// Refused: what to do about it, beginning with a verb.
  std::string_view instead;
  ParameterCount parameters;
  /// May be given as <name>...</name>, in place of its first parameter.
  bool may_be_inline = false;
  ApplyOption apply = nullptr;
};

constexpr OptionRow works(std::string_view name, std::string_view usage, ParameterCount parameters,
                          ApplyOption apply, std::string_view text) {
  return {name, OptionStatus::Works, usage, text, {}, parameters, false, apply};
}
constexpr OptionRow works_inline(std::string_view name, std::string_view usage,
                                 ParameterCount parameters, ApplyOption apply,
                                 std::string_view text) {
  return {name, OptionStatus::Works, usage, text, {}, parameters, true, apply};
}
constexpr OptionRow no_effect(std::string_view name, std::string_view why) {
  return {name, OptionStatus::NoEffect, {}, why, {}, {0, 16}, true, nullptr};
}
constexpr OptionRow refused(std::string_view name, std::string_view why, std::string_view instead) {
  return {name, OptionStatus::Refused, {}, why, instead, {0, 16}, true, nullptr};
}

/// The sections of the table, each in the file of its name.
std::span<const OptionRow> link_options();
std::span<const OptionRow> tls_options();
std::span<const OptionRow> identity_options();
std::span<const OptionRow> cipher_options();
std::span<const OptionRow> tunnel_options();
std::span<const OptionRow> client_options();
std::span<const OptionRow> timer_options();
std::span<const OptionRow> process_options();
std::span<const OptionRow> program_options();
std::span<const OptionRow> worker_options();
std::span<const OptionRow> unserved_options();
std::span<const OptionRow> foreign_options();

/// The sections of a client's table, in profile_options.cc, profile_login.cc, profile_tunnel.cc,
/// profile_scripts.cc and profile_refusals.cc.
std::span<const OptionRow> profile_link_options();
std::span<const OptionRow> profile_tls_options();
std::span<const OptionRow> profile_login_options();
std::span<const OptionRow> profile_tunnel_options();
std::span<const OptionRow> profile_script_options();
std::span<const OptionRow> profile_timer_options();
std::span<const OptionRow> profile_retry_options();
std::span<const OptionRow> profile_process_options();
std::span<const OptionRow> profile_idle_options();
std::span<const OptionRow> profile_refused_options();

struct OptionSection {
  std::string_view title;
  std::span<const OptionRow> rows;
};

/// In the order of the manual.
std::vector<OptionSection> option_sections(ConfigKind kind = ConfigKind::Server);
/// Null for an unknown name. What a client's table lacks is looked for in the server's: a row
/// without effect there has none in a client either, and the others are refused.
const OptionRow* find_option(std::string_view name, ConfigKind kind = ConfigKind::Server);
/// A row of a client's table that says the same as the server's of that name; with `text`, in words
/// for a client.
OptionRow as_on_servers(std::string_view name, std::string_view text);
/// The known name most like `name`, or empty when none is near: for "did you mean".
std::string_view nearest_option(std::string_view name, ConfigKind kind = ConfigKind::Server);

/// The tables of the manual, one section after the other, as Markdown.
std::string option_reference(ConfigKind kind = ConfigKind::Server);
/// What works, for --help.
std::string option_help(ConfigKind kind = ConfigKind::Server);

}  // namespace ringway

#include "control/config/client_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "control/config/cipher_list.h"
#include "control/config/config_lexer.h"
#include "control/config/option_table.h"
#include "control/config/option_values.h"
#include "control/config/pushed_option.h"

namespace ringway {
namespace {

constexpr std::size_t kFileNameMax = 255;
constexpr std::uint64_t kRoutesMaxMax = 1'000'000;

/// Stores one line. The number of parameters has been checked.
using ApplyClientLine = Result<void> (*)(ClientTerms&, const ConfigLine&);

struct ClientRow {
  std::string_view name;
  OptionStatus status = OptionStatus::Works;
  std::string_view usage;
  /// Works: what it does. NoEffect and Refused: why, as the rest of a sentence that begins with the
  /// option's name.
  std::string_view text;
  ParameterCount parameters;
  ApplyClientLine apply = nullptr;
};

constexpr ClientRow works(std::string_view name, std::string_view usage, ParameterCount parameters,
                          ApplyClientLine apply, std::string_view text) {
  return {name, OptionStatus::Works, usage, text, parameters, apply};
}
constexpr ClientRow no_effect(std::string_view name, std::string_view why) {
  return {name, OptionStatus::NoEffect, {}, why, {0, 16}, nullptr};
}
constexpr ClientRow refused(std::string_view name, std::string_view why) {
  return {name, OptionStatus::Refused, {}, why, {0, 16}, nullptr};
}

Result<void> apply_push(ClientTerms& terms, const ConfigLine& line) {
  if (auto checked = check_pushed_option(line, line.parameter(1)); !checked) return checked;
  terms.push.push_back({.kind = PushEdit::Kind::Add, .text = line.parameter(1)});
  return {};
}

Result<void> apply_push_remove(ClientTerms& terms, const ConfigLine& line) {
  if (line.parameter(1).empty()) return bad_value(line, 1, "the beginning of an option");
  terms.push.push_back({.kind = PushEdit::Kind::Remove, .text = line.parameter(1)});
  return {};
}

Result<void> apply_push_reset(ClientTerms& terms, const ConfigLine&) {
  terms.push.push_back({.kind = PushEdit::Kind::Reset, .text = {}});
  return {};
}

Result<void> apply_disable(ClientTerms& terms, const ConfigLine& line) {
  terms.disabled_at = line.where;
  return {};
}

std::optional<IpAddress> v4_at(const ConfigLine& line, std::size_t index) {
  const auto address = IpAddress::parse(line.parameter(index));
  return address && address->is_v4() ? address : std::nullopt;
}

Result<void> apply_ifconfig_push(ClientTerms& terms, const ConfigLine& line) {
  const auto address = v4_at(line, 1);
  if (!address) return bad_value(line, 1, "an IPv4 address; names are not looked up");
  FixedAddressV4 fixed{.address = *address, .where = line.where};
  if (line.parameter_count() >= 2) {
    const auto mask = v4_at(line, 2);
    if (!mask) return bad_value(line, 2, "the netmask of the tunnel, as 255.255.255.0");
    // Of a file for `topology net30` the address holds, and the peer's, which is no netmask, goes.
    if (Prefix::parse_v4("0.0.0.0", mask->to_string())) fixed.netmask = mask;
  }
  if (line.parameter_count() == 3) {
    fixed.alias = v4_at(line, 3);
    if (!fixed.alias) return bad_value(line, 3, "an IPv4 address");
  }
  terms.v4 = std::move(fixed);
  return {};
}

Result<void> apply_ifconfig_ipv6_push(ClientTerms& terms, const ConfigLine& line) {
  const std::string& text = line.parameter(1);
  const std::size_t slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address || address->is_v4()) {
    return bad_value(line, 1, "an IPv6 address and the length of its prefix, as fd00:8::5/64");
  }
  FixedAddressV6 fixed{.address = *address, .where = line.where};
  if (slash != std::string::npos) {
    const auto network = Prefix::parse(text, true);
    if (!network) return bad_value(line, 1, "an address with a prefix of 0 to 128");
    fixed.length = network->length;
  }
  if (line.parameter_count() == 2) {
    fixed.remote = IpAddress::parse(line.parameter(2));
    if (!fixed.remote || fixed.remote->is_v4()) return bad_value(line, 2, "an IPv6 address");
  }
  terms.v6 = std::move(fixed);
  return {};
}

Result<void> add_route(ClientTerms& terms, const ConfigLine& line, const Prefix& network) {
  if (terms.routes.size() == kClientRoutesMax) {
    return refused_value(line, fmt::format("is one too many: {} are allowed", kClientRoutesMax),
                         "join neighbouring networks into one");
  }
  terms.routes.push_back({.network = network, .where = line.where});
  return {};
}

Result<void> apply_iroute(ClientTerms& terms, const ConfigLine& line) {
  const std::string mask =
      line.parameter_count() == 2 ? line.parameter(2) : std::string("255.255.255.255");
  const auto network = Prefix::parse_v4(line.parameter(1), mask);
  if (!network) {
    return refused_value(line, "is not an IPv4 network and its netmask",
                         "write for example `iroute 192.168.4.0 255.255.255.0`");
  }
  return add_route(terms, line, *network);
}

Result<void> apply_iroute_ipv6(ClientTerms& terms, const ConfigLine& line) {
  const std::string& text = line.parameter(1);
  const auto network = Prefix::parse(text.find('/') == std::string::npos ? text + "/128" : text);
  if (!network || network->address.is_v4()) {
    return refused_value(line, "is not an IPv6 network with the length of its prefix",
                         "write for example `iroute-ipv6 2001:db8:4::/64`");
  }
  return add_route(terms, line, *network);
}

Result<void> apply_max_routes(ClientTerms& terms, const ConfigLine& line) {
  const auto count = number_at(line, 1, {1, kRoutesMaxMax});
  if (!count) return std::unexpected(count.error());
  terms.routes_max = static_cast<std::uint32_t>(*count);
  return {};
}

Result<void> store_seconds(std::optional<Duration>& target, const ConfigLine& line) {
  const auto seconds = seconds_at(line, 1, {0, kSecondsMax});
  if (!seconds) return std::unexpected(seconds.error());
  target = *seconds;
  return {};
}

Result<void> apply_data_ciphers(ClientTerms& terms, const ConfigLine& line) {
  Result<std::vector<DataCipher>> ciphers = cipher_list_of(line);
  if (!ciphers) return std::unexpected(ciphers.error());
  terms.ciphers = ClientCiphers{.ciphers = std::move(*ciphers), .where = line.where};
  return {};
}

Result<void> apply_ping(ClientTerms& terms, const ConfigLine& line) {
  return store_seconds(terms.ping, line);
}
Result<void> apply_ping_restart(ClientTerms& terms, const ConfigLine& line) {
  return store_seconds(terms.ping_restart, line);
}
Result<void> apply_session_timeout(ClientTerms& terms, const ConfigLine& line) {
  return store_seconds(terms.session_timeout, line);
}

Result<void> apply_inactive(ClientTerms& terms, const ConfigLine& line) {
  const Result<ActivityLimit> limit = activity_limit_of(line);
  if (!limit) return std::unexpected(limit.error());
  terms.inactive = *limit;
  return {};
}

constexpr std::string_view kNegotiated = "is negotiated: `data-ciphers` says from what";

constexpr std::array kRows = {
    works("ifconfig-push", "ADDRESS [NETMASK [ALIAS]]", {1, 3}, apply_ifconfig_push,
          "The client's IPv4 address, which nobody else gets. With ALIAS the client is told that "
          "one. What is no netmask, as in files for `topology net30`, gives way to the tunnel's."),
    works("ifconfig-ipv6-push", "ADDRESS/BITS [ADDRESS]", {1, 2}, apply_ifconfig_ipv6_push,
          "The client's IPv6 address; the second is what it is told of the other end."),
    works("iroute", "NETWORK [NETMASK]", {1, 2}, apply_iroute,
          "A network behind the client. The server's host needs a `route` for it, too."),
    works("iroute-ipv6", "NETWORK/BITS", {1, 1}, apply_iroute_ipv6, "The same for IPv6."),
    works("push", "\"OPTION\"", {1, 15}, apply_push, "An option for this client."),
    works("push-remove", "\"BEGINNING\"", {1, 1}, apply_push_remove,
          "Takes what begins so from the list of this client; `ifconfig` and `ifconfig-ipv6` are "
          "whole words."),
    works("push-reset", "", {0, 0}, apply_push_reset,
          "Empties the list of this client; `topology subnet` is pushed nevertheless."),
    works("disable", "", {0, 0}, apply_disable, "The client is refused."),
    works("max-routes-per-client", "N", {1, 1}, apply_max_routes,
          "How many networks it may have behind it."),
    works("data-ciphers", "LIST", {1, 1}, apply_data_ciphers,
          "Of the server's `data-ciphers` those that this client may have, the best first."),
    works("ncp-ciphers", "LIST", {1, 1}, apply_data_ciphers, "The same, by its old name."),
    works("inactive", "SECONDS [BYTES]", {1, 2}, apply_inactive,
          "As in the server's configuration, for this client."),
    works("session-timeout", "SECONDS", {1, 1}, apply_session_timeout,
          "As in the server's configuration, for this client."),
    works("ping", "SECONDS", {1, 1}, apply_ping,
          "The server's pings to this client; what the client does is pushed."),
    works("ping-restart", "SECONDS", {1, 1}, apply_ping_restart,
          "Removes this client when nothing was heard from it for so long."),
    works("ping-exit", "SECONDS", {1, 1}, apply_ping_restart, "The same as `ping-restart`."),
    no_effect("cipher", kNegotiated),
    no_effect("data-ciphers-fallback", "is asked of the server's configuration alone"),
    no_effect("comp-lzo", "changes the format of packets, and Ringway compresses none"),
    no_effect("compress", "changes the format of packets, and Ringway compresses none"),
    no_effect("comp-noadapt", "is about compression, and Ringway compresses nothing"),
    no_effect("echo", "is for programs that watch a client"),
    no_effect("parameter", "is for programs that watch a client"),
    no_effect("socket-flags", "has TCP_NODELAY in mind, which is always on"),
    refused("config", "is not followed in a client's file: write the lines of that file here"),
    refused("vlan-pvid", "is refused: Ringway routes IP and bridges no Ethernet"),
    refused("override-username", "is not served: the client would be taken for another"),
};

const ClientRow* find_row(std::string_view name) {
  const auto row = std::ranges::find(kRows, name, &ClientRow::name);
  return row == kRows.end() ? nullptr : &*row;
}

/// A push that OpenVPN's servers send and that would break the tunnel here.
bool is_pushed_compression(const ConfigLine& line) {
  return line.name() == "push" && line.parameter_count() == 1 && is_compression(line.parameter(1));
}

Result<void> apply_row(const ClientRow& row, const ConfigLine& line, ClientTerms& terms) {
  if (auto checked = check_shape({row.name, row.usage, row.parameters}, line); !checked) {
    return checked;
  }
  if (row.name == "push" && terms.push.size() == kClientPushesMax) {
    return fail(fmt::format("more than {} lines change what is pushed", kClientPushesMax),
                line.where, "join neighbouring routes into one");
  }
  return row.apply(terms, line);
}

/// What OpenVPN knows and ignores in such a file is passed over here, too; what nobody knows is a
/// slip of the pen, and could have been `disable`.
Result<void> judge_foreign(const ConfigLine& line, ClientLineNotes& notes) {
  if (find_option(line.name(), ConfigKind::Server) != nullptr) {
    notes.passed_over.push_back(fmt::format(
        "{}: `{}` is passed over: it belongs into the server's configuration, or behind `push`",
        line.where, line.name()));
    return {};
  }
  const std::string_view nearest = nearest_option(line.name(), ConfigKind::Server);
  return fail(fmt::format("unknown option `{}`", line.name()), line.where,
              find_row(nearest) == nullptr ? "delete the line"
                                           : fmt::format("write `{}`, if that is meant", nearest));
}

Result<void> read_line(const ConfigLine& line, ClientTerms& terms, ClientLineNotes& notes) {
  const ClientRow* const row = find_row(line.name());
  if (row == nullptr) return judge_foreign(line, notes);
  if (row->status == OptionStatus::Refused) {
    return fail(fmt::format("`{}` {}", row->name, row->text), line.where, "delete the line");
  }
  if (row->status == OptionStatus::NoEffect) {
    notes.passed_over.push_back(
        fmt::format("{}: `{}` has no effect: it {}", line.where, row->name, row->text));
    return {};
  }
  if (is_pushed_compression(line)) {
    notes.passed_over.push_back(
        fmt::format("{}: `{}` is not pushed: it would change the format of packets", line.where,
                    line_text(line)));
    return {};
  }
  return apply_row(*row, line, terms);
}

std::string_view name_of(OptionStatus status) {
  switch (status) {
    case OptionStatus::Works: return "works";
    case OptionStatus::NoEffect: return "no effect";
    case OptionStatus::Refused: return "refused";
  }
  return "";
}

/// In a table's cell a bar ends the cell.
std::string cell(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

}  // namespace

std::optional<std::string> client_file_name(std::string_view common_name) {
  if (common_name.empty() || common_name == "." || common_name == "..") return std::nullopt;
  if (common_name.size() > kFileNameMax) return std::nullopt;
  std::string name(common_name);
  for (char& c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '/' || byte < 0x20 || byte == 0x7f) c = '_';
  }
  return name;
}

ClientLineNotes read_client_lines(std::string_view text, const std::string& where,
                                  ClientTerms& terms) {
  ClientLineNotes notes;
  if (text.size() > kClientFileSizeMax) {
    notes.faults.push_back(
        Error{.what = fmt::format("the file has more than {} bytes", kClientFileSizeMax),
              .where = where,
              .advice = "join neighbouring networks into one"});
    return notes;
  }
  const Result<std::vector<ConfigLine>> lines = lex_config(text, where, &notes.faults);
  if (!lines) {
    notes.faults.push_back(lines.error());
    return notes;
  }
  for (const ConfigLine& line : *lines) {
    if (auto read = read_line(line, terms, notes); !read) notes.faults.push_back(read.error());
  }
  return notes;
}

std::string client_file_reference() {
  std::string text = "| option | status | meaning, or reason |\n| --- | --- | --- |\n";
  for (const ClientRow& row : kRows) {
    const bool works = row.status == OptionStatus::Works;
    text += fmt::format("| `{}{}{}` | {} | {} |\n", row.name, row.usage.empty() ? "" : " ",
                        cell(row.usage), name_of(row.status),
                        works ? std::string(row.text) : fmt::format("{}.", row.text));
  }
  return text;
}

}  // namespace ringway

#include "control/config/option_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/check.h"

namespace ringway {
namespace {

/// What a profile is told of a server's options, and of those that Ringway refuses of servers.
constexpr OptionRow kForServers = refused(
    "", "does not belong in a client's profile, or is not served in one", "delete the line");

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row[b.size()];
}

std::string_view status_text(OptionStatus status) {
  switch (status) {
    case OptionStatus::Works: return "works";
    case OptionStatus::NoEffect: return "no effect";
    case OptionStatus::Refused: return "refused";
  }
  return "";
}

/// A vertical bar would end the table's cell.
std::string markdown_cell(std::string_view text) {
  std::string cell;
  for (const char c : text) {
    if (c == '|') cell += '\\';
    cell += c;
  }
  return cell;
}

std::string markdown_row(const OptionRow& row) {
  const std::string usage =
      row.usage.empty() ? std::string(row.name) : fmt::format("{} {}", row.name, row.usage);
  const std::string text =
      row.instead.empty() ? std::string(row.text) : fmt::format("{}; {}", row.text, row.instead);
  return fmt::format("| `{}` | {} | {} |\n", markdown_cell(usage), status_text(row.status),
                     markdown_cell(text));
}

/// `text` in lines of at most `width` characters, each after `indent` blanks.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t width) {
  std::string lines;
  while (!text.empty()) {
    std::size_t end = text.size();
    if (end > width) {
      end = text.rfind(' ', width);
      if (end == std::string_view::npos) end = std::min(text.find(' '), text.size());
    }
    lines += std::string(indent, ' ') + std::string(text.substr(0, end)) + '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace

Result<void> check_shape(const LineShape& shape, const ConfigLine& line) {
  if (line.inline_text && !shape.may_be_inline) {
    return fail(fmt::format("`{}` cannot be an inline block", shape.name), line.where,
                fmt::format("write `{} {}`", shape.name, shape.usage));
  }
  const std::size_t count = line.parameter_count();
  if (count >= shape.parameters.min && count <= shape.parameters.max) return {};
  return fail(fmt::format("`{}` has too {} parameters", shape.name,
                          count < shape.parameters.min ? "few" : "many"),
              line.where,
              shape.usage.empty() ? fmt::format("write `{}` alone", shape.name)
                                  : fmt::format("write `{} {}`", shape.name, shape.usage));
}

std::vector<OptionSection> option_sections(ConfigKind kind) {
  if (kind == ConfigKind::Client) {
    return {
        {"The server and the socket", profile_link_options()},
        {"Certificates, keys and ciphers", profile_tls_options()},
        {"Name and password", profile_login_options()},
        {"Tunnel", profile_tunnel_options()},
        {"Scripts", profile_script_options()},
        {"Times", profile_timer_options()},
        {"Connecting again", profile_retry_options()},
        {"Process", profile_process_options()},
        {"Without effect", profile_idle_options()},
        {"Refused", profile_refused_options()},
    };
  }
  return {
      {"Addresses, ports and sockets", link_options()},
      {"Certificates and TLS", tls_options()},
      {"Whose certificate is believed", identity_options()},
      {"Control-channel keys and ciphers", cipher_options()},
      {"Tunnel", tunnel_options()},
      {"Clients", client_options()},
      {"Times", timer_options()},
      {"Process", process_options()},
      {"Programs", program_options()},
      {"Workers and offloads", worker_options()},
      {"Plugins, management", unserved_options()},
      {"Clients' options, other systems, commands", foreign_options()},
  };
}

const OptionRow* find_option(std::string_view name, ConfigKind kind) {
  for (const OptionSection& section : option_sections(kind)) {
    const auto row = std::ranges::find(section.rows, name, &OptionRow::name);
    if (row != section.rows.end()) return &*row;
  }
  if (kind == ConfigKind::Server) return nullptr;
  const OptionRow* row = find_option(name, ConfigKind::Server);
  return row == nullptr || row->status == OptionStatus::NoEffect ? row : &kForServers;
}

OptionRow as_on_servers(std::string_view name, std::string_view text) {
  const OptionRow* row = find_option(name, ConfigKind::Server);
  RW_ASSERT(row != nullptr && row->status == OptionStatus::Works);
  OptionRow shared = *row;
  if (!text.empty()) shared.text = text;
  return shared;
}

std::string_view nearest_option(std::string_view name, ConfigKind kind) {
  constexpr std::size_t kNear = 2;
  std::string_view nearest;
  std::size_t nearest_distance = kNear + 1;
  for (const OptionSection& section : option_sections(kind)) {
    for (const OptionRow& row : section.rows) {
      // What would have to be added or deleted is a part of the distance; a long word that nobody
      // knows need not be compared with hundreds.
      const std::size_t longer = std::max(name.size(), row.name.size());
      if (longer - std::min(name.size(), row.name.size()) >= nearest_distance) continue;
      const std::size_t distance = edit_distance(name, row.name);
      // A short name is near to everything, so at least half of it must be right.
      if (distance < nearest_distance && distance * 2 <= row.name.size()) {
        nearest = row.name;
        nearest_distance = distance;
      }
    }
  }
  return nearest;
}

std::string option_reference(ConfigKind kind) {
  std::string text;
  for (const OptionSection& section : option_sections(kind)) {
    text += fmt::format(
        "## {}\n\n| option | status | meaning, or reason and remedy |\n| --- | --- | --- |\n",
        section.title);
    for (const OptionRow& row : section.rows) text += markdown_row(row);
    text += '\n';
  }
  return text;
}

std::string option_help(ConfigKind kind) {
  std::string text;
  for (const OptionSection& section : option_sections(kind)) {
    std::string rows;
    for (const OptionRow& row : section.rows) {
      if (row.status != OptionStatus::Works) continue;
      rows += fmt::format("  --{}{}{}\n", row.name, row.usage.empty() ? "" : " ", row.usage);
      rows += wrapped(row.text, 8, 72);
    }
    if (!rows.empty()) text += fmt::format("\n{}:\n{}", section.title, rows);
  }
  return text;
}

}  // namespace ringway

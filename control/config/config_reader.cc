#include "control/config/config_reader.h"

#include <fmt/format.h>

namespace ringway {
namespace {

constexpr int kNestingMax = 10;
constexpr std::size_t kIncludedFilesMax = 64;

}  // namespace

Result<void> ConfigReader::read(std::string_view text, const std::string& file_name,
                                const std::vector<std::string>& extra_options) {
  if (auto applied = read_text(text, file_name); !applied) return applied;
  for (const std::string& option : extra_options) {
    Result<ConfigLine> line = lex_command_line_option(option);
    auto applied =
        line ? read_line(std::move(*line)) : draft_.settle(std::unexpected(line.error()));
    if (!applied) return applied;
  }
  return {};
}

Result<void> ConfigReader::read_text(std::string_view text, const std::string& file_name) {
  std::vector<Error> faults;
  Result<std::vector<ConfigLine>> lines =
      lex_config(text, file_name, draft_.collects ? &faults : nullptr);
  if (!lines) return std::unexpected(lines.error());
  for (Error& fault : faults) draft_.problems.push_back({.error = std::move(fault)});
  for (ConfigLine& line : *lines) {
    if (auto applied = read_line(std::move(line)); !applied) return applied;
  }
  return {};
}

Result<void> ConfigReader::read_line(ConfigLine line) {
  if (++line_count_ > kConfigLineCountMax) {
    return fail(fmt::format("more than {} options in all files", kConfigLineCountMax), line.where,
                "delete what is not needed");
  }
  // `setenv opt NAME ...` is the option NAME, which may be unknown.
  bool may_be_skipped = false;
  if (line.name() == "setenv" && line.parameter_count() >= 2 && line.parameter(1) == "opt") {
    line.words.erase(line.words.begin(), line.words.begin() + 2);
    may_be_skipped = true;
    if (line.name().empty()) return fail("`setenv opt` names no option", line.where, "name one");
  }
  return apply(line, may_be_skipped);
}

Result<void> ConfigReader::apply(const ConfigLine& line, bool may_be_skipped) {
  const OptionRow* row = find_option(line.name(), kind_);
  may_be_skipped = may_be_skipped || draft_.ignorable.contains(line.name());
  if (row == nullptr) {
    if (may_be_skipped || draft_.ignore_all_unknown) {
      note_once(line, "is skipped: it is unknown");
      return {};
    }
    const std::string_view nearest = nearest_option(line.name(), kind_);
    return draft_.settle(
        fail(fmt::format("unknown option `{}`", line.name()), line.where,
             nearest.empty() ? "delete the line, or write `ignore-unknown-option NAME` before it"
                             : fmt::format("write `{}`, if that is meant", nearest)));
  }
  if (row->status == OptionStatus::Refused) {
    if (may_be_skipped) {
      note_once(line, fmt::format("is skipped: it {}", row->text));
      return {};
    }
    return draft_.settle(
        fail(fmt::format("`{}` {}", line.name(), row->text), line.where, std::string(row->instead)),
        /*is_refusal=*/true);
  }
  if (row->status == OptionStatus::NoEffect) {
    if (!draft_.has(line.name())) {
      draft_.idle.push_back(
          {line.name(), line.where, fmt::format("has no effect: it {}", row->text)});
    }
    note_once(line, fmt::format("has no effect: it {}", row->text));
    return {};
  }
  return draft_.settle(apply_row(*row, line));
}

Result<void> ConfigReader::apply_row(const OptionRow& row, const ConfigLine& line) {
  const LineShape shape = {row.name, row.usage, row.parameters, row.may_be_inline};
  if (auto checked = check_shape(shape, line); !checked) return checked;
  if (row.name == "config") return read_included(line);
  draft_.places[std::string(row.name)] = line.where;
  return row.apply(draft_, line);
}

Result<void> ConfigReader::read_included(const ConfigLine& line) {
  std::string path = line.parameter(1);
  if (draft_.nesting == kNestingMax || ++included_count_ > kIncludedFilesMax) {
    return fail(fmt::format("`config {}`: files are nested more than {} deep, or more than {} are "
                            "read",
                            path, kNestingMax, kIncludedFilesMax),
                line.where, "see that no file reads itself");
  }
  const std::string& directory = draft_.config.working_directory;
  if (!directory.empty() && !path.starts_with('/')) path = fmt::format("{}/{}", directory, path);
  const Result<std::string> text = read_(path);
  if (!text) {
    return fail(fmt::format("`config {}`: {}", line.parameter(1), text.error().to_string()),
                line.where, "name a file that can be read");
  }
  ++draft_.nesting;
  auto applied = read_text(*text, path);
  --draft_.nesting;
  return applied;
}

/// The first place is enough: what holds for one `persist-key` holds for the next.
void ConfigReader::note_once(const ConfigLine& line, std::string text) {
  if (!draft_.places.emplace(line.name(), line.where).second) return;
  draft_.config.notes.push_back(fmt::format("{}: `{}` {}", line.where, line.name(), text));
}

}  // namespace ringway

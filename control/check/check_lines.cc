#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "control/check/inspection.h"

/// What the parser says of the lines: its errors, what has no effect, and its notes.
namespace ringway {
namespace {

/// Notes of the parser for which there is a finding of its own.
constexpr std::array kSaidElsewhere = {
    std::string_view("serves IPv4 and IPv6, where OpenVPN serves IPv4 only"),  // proto-udp-both
    std::string_view("without `keepalive` nobody notices"),                    // keepalive-missing
    std::string_view("without `tls-crypt` or `tls-auth` any stranger"),        // no-tls-wrap
    std::string_view(" addresses: later clients will get none"),               // pool-small
    std::string_view("any certificate of the authority may pose"),             // server-unverified
};
constexpr std::string_view kOthersCanRead = "others can read this";

struct Note {
  std::string where;
  std::string text;
};

/// A note may begin with its place: "server.conf:12: ...".
Note split(const std::string& note, const std::string& source) {
  const std::size_t end = note.find(": ");
  if (note.starts_with(source) && end != note.npos) {
    return {.where = note.substr(0, end), .text = note.substr(end + 2)};
  }
  return {.where = source, .text = note};
}

bool is_said_elsewhere(const ConfigDraft& draft, const std::string& note) {
  const bool is_idle = std::ranges::any_of(
      draft.idle, [&](const IdleOption& idle) { return note.starts_with(idle.where + ": "); });
  return is_idle || std::ranges::any_of(kSaidElsewhere, [&](std::string_view text) {
           return note.find(text) != note.npos;
         });
}

}  // namespace

void check_lines(const Inspection& inspection, FindingList& findings) {
  const ConfigDraft& draft = inspection.survey.draft;
  for (const ConfigProblem& problem : draft.problems) {
    findings.add(
        problem.is_refusal ? "refused-option" : "config-error",
        {.where = problem.error.where, .what = problem.error.what, .write = problem.error.advice});
  }
  for (const Error& error : inspection.unreadable) {
    findings.add("file-unreadable",
                 {.where = error.where, .what = error.what, .write = error.advice});
  }
  for (const IdleOption& idle : draft.idle) {
    findings.add("no-effect",
                 {.where = idle.where, .what = fmt::format("`{}` {}", idle.name, idle.why)});
  }
  for (const std::string& text : draft.config.notes) {
    if (is_said_elsewhere(draft, text)) continue;
    Note note = split(text, draft.config.source);
    const bool is_exposed = note.text.find(kOthersCanRead) != note.text.npos;
    findings.add(is_exposed ? "key-exposed" : "start-note",
                 {.where = std::move(note.where), .what = std::move(note.text)});
  }
}

}  // namespace ringway

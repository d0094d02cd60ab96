#include "control/programs/program_desk.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

namespace ringway {
namespace {

/// Warnings that wait to be written; more are dropped.
constexpr std::size_t kWarningsMax = 64;

std::string_view name_of(QuestionKind kind) {
  switch (kind) {
    case QuestionKind::ClientKey: return "tls-crypt-v2-verify";
    case QuestionKind::Certificate: return "tls-verify";
    case QuestionKind::Password: return "auth-user-pass-verify";
    case QuestionKind::ClientConfig: return "client-config-dir";
    case QuestionKind::Connect: return "client-connect";
    case QuestionKind::Learn:
    case QuestionKind::Forget: return "learn-address";
    case QuestionKind::ChallengeResponse: return "client-crresponse";
    case QuestionKind::Disconnect: return "client-disconnect";
  }
  return "";
}

std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find_first_of("\r\n"));
}

/// Takes the first line off.
std::string_view take_line(std::string_view& text) {
  const std::string_view line = first_line(text);
  text.remove_prefix(
      std::min(text.size(), text.find('\n') == text.npos ? text.size() : text.find('\n') + 1));
  return line;
}

std::string content_of(const ProgramEnd& end, std::size_t number) {
  return number < end.files.size() ? end.files[number].content : std::string();
}

/// "timeout \n method \n extra" of `auth_pending_file`.
std::optional<AnswerPending> parse_notice(std::string_view notice) {
  const std::string_view timeout = take_line(notice);
  const std::string_view method = take_line(notice);
  const std::string_view extra = take_line(notice);
  std::uint32_t seconds = 0;
  const auto [end, error] =
      std::from_chars(timeout.data(), timeout.data() + timeout.size(), seconds);
  if (error != std::errc() || end != timeout.data() + timeout.size()) return std::nullopt;
  if (seconds == 0 || method.empty() || extra.empty()) return std::nullopt;
  return AnswerPending{.timeout = std::chrono::seconds(seconds),
                       .method = std::string(method),
                       .extra = std::string(extra)};
}

/// `IV_SSO=webauth,openurl,crtext`: whether the client can do it.
bool can_do(const PeerInfo& peer, std::string_view method) {
  std::string_view list = peer.find("IV_SSO").value_or("");
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (list.substr(0, comma) == method) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

}  // namespace

ProgramDesk::ProgramDesk(const ServerConfig& config, ServerFacts server)
    : config_(config), server_(std::move(server)) {}

void ProgramDesk::handle_question(PlaneQuestion question, const TrafficTotals& traffic, Now now) {
  const std::uint64_t id = ++request_count_;
  const bool is_asked = wants_answer(question.kind);
  Open& open = open_[id];
  if (is_asked) {
    open.question = question.id;
    by_question_[question.id.value] = id;
  }
  open.kind = question.kind;
  open.client = question.client;
  open.is_renegotiation = question.is_renegotiation;
  open.about =
      fmt::format("{}/{}", question.facts.common_name, question.facts.endpoint.remote.to_string());
  switch (question.kind) {
    case QuestionKind::ClientKey: return ask_about_client_key(id, question);
    case QuestionKind::Certificate:
      open.facts = std::move(question.facts);
      open.depth = open.facts.certificate.chain.size();
      return ask_about_certificate(id, open);
    case QuestionKind::Password:
      ask_about_password(id, question);
      open.facts = std::move(question.facts);
      return;
    case QuestionKind::ClientConfig: return ask_for_client_config(id, question);
    case QuestionKind::Connect: return ask_to_connect(id, question);
    case QuestionKind::Learn:
    case QuestionKind::Forget: return ask_about_address(id, question);
    case QuestionKind::ChallengeResponse: return ask_about_challenge(id, question);
    case QuestionKind::Disconnect: return tell_of_disconnect(id, question, traffic, now);
  }
}

void ProgramDesk::handle_withdrawn(QuestionId question) {
  const auto found = by_question_.find(question.value);
  if (found == by_question_.end()) return;
  const std::uint64_t id = found->second;
  by_question_.erase(found);
  Open& open = open_[id];
  open.question.reset();
  requests_.emplace_back(ForgetRequest{.id = id});
  if (open.kind == QuestionKind::Password) forget_password_request(open.client, id);
  open_.erase(id);
}

void ProgramDesk::handle_report(HelperReport report) {
  std::visit([&](auto& said) { handle(said); }, report);
}

void ProgramDesk::handle(ProgramEnd& end) {
  const auto found = open_.find(end.id);
  if (found == open_.end()) return;
  Open& open = found->second;
  const bool accepted = end.status == 0;
  warn_of(open, end);
  if (open.kind == QuestionKind::Certificate && accepted && open.depth > 1) {
    --open.depth;
    return ask_about_certificate(end.id, open);
  }
  const Open ended = std::move(open);
  open_.erase(found);
  if (ended.kind == QuestionKind::Password) forget_password_request(ended.client, end.id);
  if (!ended.question) return;

  PlaneAnswer said{.accepted = accepted};
  if (!accepted) {
    said.for_log =
        fmt::format("{} did not accept it (exit status {})", name_of(ended.kind), end.status);
    // A program that could not be run or was killed has decided nothing.
    said.is_temporary = end.status < 0;
    if (said.is_temporary) said.for_client = "the server cannot decide at the moment";
  }
  if (ended.kind == QuestionKind::Password && end.status > 0) {
    said.for_client = first_line(content_of(end, 2));
  }
  if (ended.kind == QuestionKind::Connect) {
    said.text = content_of(end, 1);
    said.where = "client-connect";
  }
  answer(ended, std::move(said));
}

void ProgramDesk::handle(ProgramDeferred& deferred) {
  const auto found = open_.find(deferred.id);
  if (found == open_.end() || !found->second.question || deferred.notice.empty()) return;
  const Open& open = found->second;
  std::optional<AnswerPending> pending = parse_notice(deferred.notice);
  if (!pending) {
    warnings_.push_back(
        fmt::format("{}: auth_pending_file must have three lines: seconds, method "
                    "and what the client is told",
                    open.about));
    return;
  }
  if (!can_do(open.facts.peer_info, pending->method)) {
    const Open asked = open;
    open_.erase(found);
    requests_.emplace_back(ForgetRequest{.id = deferred.id});
    forget_password_request(asked.client, deferred.id);
    return answer(asked, {.accepted = false,
                          .for_client = "the client cannot do " + pending->method,
                          .for_log = "its IV_SSO does not have " + pending->method});
  }
  answers_.push_back({.question = *open.question, .said = std::move(*pending)});
}

void ProgramDesk::handle(FileRead& read) {
  const auto found = open_.find(read.id);
  if (found == open_.end()) return;
  const Open open = std::move(found->second);
  open_.erase(found);
  if (!read.fault.empty()) return answer(open, {.accepted = false, .for_log = read.fault});
  answer(open, {.accepted = true, .text = std::move(read.text), .where = std::move(read.where)});
}

void ProgramDesk::handle(HelperRestarted&) {
  warnings_.emplace_back("the helper process has died and was started anew");
  refuse_all("the helper process has died");
}

void ProgramDesk::handle_unsent(const HelperRequest& request) {
  std::uint64_t id = 0;
  if (const auto* program = std::get_if<ProgramRequest>(&request)) id = program->id;
  if (const auto* read = std::get_if<ReadRequest>(&request)) id = read->id;
  ProgramEnd end{.id = id,
                 .status = kProgramNotTaken,
                 .output = "the helper process did not take it",
                 .files = {}};
  handle(end);
}

void ProgramDesk::refuse_all(std::string_view why) {
  std::unordered_map<std::uint64_t, Open> refused = std::exchange(open_, {});
  password_request_of_.clear();
  for (const auto& [id, open] : refused) {
    answer(open, {.accepted = false,
                  .for_client = "the server cannot decide at the moment",
                  .for_log = std::string(why),
                  .is_temporary = true});
  }
}

void ProgramDesk::forget_password_request(ClientId client, std::uint64_t id) {
  const auto found = password_request_of_.find(client.value);
  if (found != password_request_of_.end() && found->second == id) password_request_of_.erase(found);
}

void ProgramDesk::answer(const Open& open, PlaneAnswer said) {
  if (!open.question) return;
  by_question_.erase(open.question->value);
  answers_.push_back({.question = *open.question, .said = std::move(said)});
}

void ProgramDesk::warn_of(const Open& open, const ProgramEnd& end) {
  // Of these one line tells for all.
  if (!wants_answer(open.kind) && end.status == kProgramNotTaken) {
    ++lost_news_;
    return;
  }
  const std::string_view output = first_line(end.output);
  const bool is_news_failed = !wants_answer(open.kind) && end.status != 0;
  if (output.empty() && !is_news_failed) return;
  if (warnings_.size() >= kWarningsMax) return;
  warnings_.push_back(fmt::format("{}: {} (exit status {}){}{}", open.about, name_of(open.kind),
                                  end.status, output.empty() ? "" : ": ", output));
}

std::optional<HelperRequest> ProgramDesk::poll_request() {
  if (requests_.empty()) return std::nullopt;
  HelperRequest first = std::move(requests_.front());
  requests_.pop_front();
  return first;
}

std::optional<DeskAnswer> ProgramDesk::poll_answer() {
  if (answers_.empty()) return std::nullopt;
  DeskAnswer first = std::move(answers_.front());
  answers_.pop_front();
  return first;
}

std::optional<std::string> ProgramDesk::poll_warning() {
  if (warnings_.empty()) return std::nullopt;
  std::string first = std::move(warnings_.front());
  warnings_.pop_front();
  return first;
}

}  // namespace ringway

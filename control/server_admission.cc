#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "control/channel/key_exchange.h"
#include "control/server_role.h"

/// From a client's key-method-2 message to the verdict about its negotiation.
namespace ringway {
namespace {

using Stage = Client::Stage;
using Step = Inquiry::Step;

constexpr std::string_view kChallengeWord = "CR_RESPONSE,";

/// As long as OpenVPN lets a verdict take where the client is told nothing.
Duration patience(const TimerConfig& timers) {
  if (timers.renegotiate <= Duration{0}) return timers.hand_window;
  return std::min(timers.hand_window, timers.renegotiate / 2);
}

/// ... and where it is told.
Duration patience_if_told(const TimerConfig& timers) {
  return std::max(timers.hand_window, timers.renegotiate / 2);
}

Refusal busy() {
  return {.for_client = "the server is busy",
          .for_log = fmt::format("{} questions wait for an answer, and more are not asked",
                                 QuestionBook::kOpenMax),
          .is_temporary = true};
}

}  // namespace

void ServerRole::on(Client& client, AuthRequested& event, Now now) {
  if (client.stage == Stage::Leaving) return;
  const std::expected<void, Refusal> begun = begin_inquiry(client, event, now);
  wipe(event.password);
  if (!begun) return refuse(client, begun.error(), now);
  proceed(client, now);
}

std::expected<void, Refusal> ServerRole::begin_inquiry(Client& client, AuthRequested& request,
                                                       Now now) {
  withdraw_inquiry(client);
  const bool is_renegotiation = client.is_established();
  if (is_renegotiation) {
    const std::expected<ClientIdentity, Refusal> identity = check_identity(config_, request);
    if (!identity) return std::unexpected(identity.error());
    if (auto same = check_same_identity(client.identity, *identity); !same) return same;
    if (auto same = check_same_offer(client.admission, request.peer_info); !same) return same;
  } else if (auto judged = judge_newcomer(client, request); !judged) {
    return judged;
  }
  Inquiry& inquiry = client.inquiry.emplace();
  inquiry.key_id = request.key_id;
  inquiry.is_renegotiation = is_renegotiation;
  inquiry.username = request.username;
  inquiry.password = std::move(request.password);
  inquiry.begun = now.instant;
  if (!is_renegotiation) inquiry.give_up_at = now.instant + patience(config_.timers);
  return {};
}

/// What can be said without asking anybody.
std::expected<void, Refusal> ServerRole::judge_newcomer(Client& client, AuthRequested& request) {
  client.peer_info = request.peer_info;
  std::expected<ClientIdentity, Refusal> identity = check_identity(config_, request);
  if (!identity) return std::unexpected(identity.error());
  client.identity = std::move(*identity);
  client.certificate = std::move(request.certificate);
  if (is_revoked(client)) {
    return std::unexpected(Refusal{.for_log = "the certificate is revoked"});
  }
  const std::expected<Admission, Refusal> admission = choose_admission(config_, request);
  if (!admission) return std::unexpected(admission.error());
  client.admission = *admission;
  return {};
}

/// Takes one step after the other, up to one that has to ask.
void ServerRole::proceed(Client& client, Now now) {
  while (client.inquiry && !client.inquiry->question) {
    if (auto taken = take_step(client, now); !taken) return refuse(client, taken.error(), now);
  }
}

std::expected<void, Refusal> ServerRole::take_step(Client& client, Now now) {
  Inquiry& inquiry = *client.inquiry;
  switch (inquiry.step) {
    case Step::ClientKey: inquiry.step = Step::Certificate; return ask_about_key(client);
    case Step::Certificate:
      inquiry.step = Step::Password;
      if (!config_.programs.certificate.is_set() || !client.certificate.present) return {};
      return ask(client, QuestionKind::Certificate);
    case Step::Password:
      inquiry.step = inquiry.is_renegotiation ? Step::Admit : Step::Join;
      if (!config_.programs.password.is_set()) return {};
      return check_password(client, now);
    case Step::Join: inquiry.step = Step::ClientConfig; return join(client, now);
    case Step::ClientConfig:
      inquiry.step = Step::Connect;
      if (config_.client_config_directory.empty()) return {};
      return ask(client, QuestionKind::ClientConfig);
    case Step::Connect:
      inquiry.step = Step::Addresses;
      client.is_announced = true;
      if (!config_.programs.connect.is_set()) return {};
      // The program is told of them, and may know better: what is missing now is judged later.
      static_cast<void>(settle_addresses(client));
      return ask(client, QuestionKind::Connect);
    case Step::Addresses:
      inquiry.step = Step::Learn;
      if (auto settled = settle_cipher(client); !settled) return settled;
      if (auto settled = settle_addresses(client); !settled) return settled;
      note_addresses(client, now);
      return {};
    case Step::Learn: return ask_next_address(client);
    case Step::Admit: finish_inquiry(client, now); return {};
  }
  return {};
}

/// Until it has been answered once: what a key says of itself does not change.
std::expected<void, Refusal> ServerRole::ask_about_key(Client& client) {
  if (!client.key_metadata) return {};
  if (client.key_metadata->empty()) {
    return std::unexpected(Refusal{.for_log = "its tls-crypt-v2 key says nothing of itself"});
  }
  PlaneQuestion question = question_about(client, QuestionKind::ClientKey);
  question.key_metadata = *client.key_metadata;
  client.inquiry->question = questions_.ask(std::move(question));
  if (!client.inquiry->question) return std::unexpected(busy());
  note_asked(client);
  return {};
}

std::expected<void, Refusal> ServerRole::ask(Client& client, QuestionKind kind) {
  client.inquiry->question = questions_.ask(question_about(client, kind));
  if (!client.inquiry->question) return std::unexpected(busy());
  note_asked(client);
  return {};
}

void ServerRole::note_asked(Client& client) {
  if (client.stage != Stage::HalfOpen) return;
  client.stage = Stage::Verifying;
  // It has come further than strangers, however many they are: with a program that takes ten
  // seconds, a flood of them would leave nobody in for as long as it lasts.
  book_.make_evictable(client, ClientBook::Eviction::Last);
}

/// A token of our own answers before anybody is asked.
std::expected<void, Refusal> ServerRole::check_password(Client& client, Now now) {
  const std::expected<bool, Refusal> is_good = judge_token(client, now);
  if (!is_good) return std::unexpected(is_good.error());
  if (*is_good) return {};
  return ask_password(client);
}

std::expected<void, Refusal> ServerRole::ask_password(Client& client) {
  PlaneQuestion question = question_about(client, QuestionKind::Password);
  question.facts.username = client.inquiry->username;
  question.password = std::exchange(client.inquiry->password, {});
  client.inquiry->question = questions_.ask(std::move(question));
  if (!client.inquiry->question) return std::unexpected(busy());
  note_asked(client);
  return {};
}

PlaneQuestion ServerRole::question_about(const Client& client, QuestionKind kind) const {
  PlaneQuestion question;
  question.client = client.id;
  question.kind = kind;
  if (client.inquiry) question.key_id = client.inquiry->key_id;
  question.is_renegotiation = client.is_established();
  question.facts = {.common_name = client.identity.common_name,
                    .username = client.identity.username,
                    .certificate = client.certificate,
                    .peer_info = client.peer_info,
                    .endpoint = client.endpoint,
                    .peer_id = client.peer_id,
                    .lease = client.lease,
                    .connected_since = client.connected_since};
  if (tokens_ && client.token) {
    question.facts.session_id = client.token->id_text();
    if (client.inquiry) question.facts.session_state = name_of(client.inquiry->token_state);
  }
  return question;
}

/// One after the other, so that a program sees them in order.
std::expected<void, Refusal> ServerRole::ask_next_address(Client& client) {
  std::vector<Prefix>& to_learn = client.inquiry->to_learn;
  if (!config_.programs.learn.is_set()) {
    client.learned.insert(client.learned.end(), to_learn.rbegin(), to_learn.rend());
    to_learn.clear();
  }
  if (to_learn.empty()) {
    client.inquiry->step = Step::Admit;
    return {};
  }
  PlaneQuestion question = question_about(client, QuestionKind::Learn);
  question.address = to_learn.back();
  question.is_update = told_.is_known(to_learn.back());
  client.inquiry->question = questions_.ask(std::move(question));
  if (!client.inquiry->question) return std::unexpected(busy());
  told_.begin(to_learn.back());
  return {};
}

/// As with OpenVPN: the client comes in, and nothing goes to or comes from an address that the
/// program refuses.
void ServerRole::settle_address(Client& client, const Prefix& address, bool is_accepted) {
  if (is_accepted) client.learned.push_back(address);
  if (told_.settle(address, client.id, is_accepted)) tell_to_forget(client, address);
}

/// The only place that lets a negotiation give keys.
void ServerRole::finish_inquiry(Client& client, Now now) {
  RW_ASSERT(client.peer_id.is_set());
  for (const Prefix& address : std::exchange(client.inherited, {})) {
    if (told_.release(address)) tell_to_forget(client, address);
  }
  if (client.stage == Stage::Joining) client.stage = Stage::Admitted;
  client.inquiry.reset();
  client.channel.admit(client.admission, now);
}

void ServerRole::handle_answer(QuestionId id, const PlaneAnswer& answer, Now now) {
  const std::optional<QuestionBook::Open> asked = questions_.close(id);
  Client* const client = asked ? book_.find(asked->client) : nullptr;
  if (client == nullptr) return;
  if (asked->kind == QuestionKind::ChallengeResponse) {
    note_challenge_answer(*client, answer, now);
    return serve(*client, now);
  }
  RW_ASSERT(client->inquiry && client->inquiry->question == id);
  client->inquiry->question.reset();
  const std::expected<void, Refusal> applied = apply_answer(*client, asked->kind, answer, now);
  if (!applied) {
    refuse(*client, applied.error(), now);
  } else {
    proceed(*client, now);
  }
  serve(*client, now);
}

std::expected<void, Refusal> ServerRole::apply_answer(Client& client, QuestionKind kind,
                                                      const PlaneAnswer& answer, Now now) {
  if (kind == QuestionKind::Learn) {
    const Prefix address = client.inquiry->to_learn.back();
    client.inquiry->to_learn.pop_back();
    settle_address(client, address, answer.accepted);
    return {};
  }
  if (!answer.accepted) {
    // Whom the program did not take, it need not see off.
    if (kind == QuestionKind::Connect) client.is_announced = false;
    return std::unexpected(Refusal{.for_client = answer.for_client,
                                   .for_log = answer.for_log,
                                   .is_temporary = answer.is_temporary});
  }
  if (kind == QuestionKind::ClientKey) client.key_metadata.reset();
  if (kind == QuestionKind::ClientConfig || kind == QuestionKind::Connect) {
    return apply_terms(client, answer, now);
  }
  return {};
}

void ServerRole::handle_pending(QuestionId id, const AnswerPending& pending, Now now) {
  const std::optional<QuestionBook::Open> asked = questions_.find(id);
  Client* const client = asked ? book_.find(asked->client) : nullptr;
  if (client == nullptr || !client->inquiry || client->inquiry->question != id) return;
  const Duration used = now.instant - client->inquiry->begun;
  const Duration timeout =
      std::min<Duration>(pending.timeout, patience_if_told(config_.timers) - used);
  if (timeout <= Duration{0}) return;
  if (client->inquiry->give_up_at) client->inquiry->give_up_at = now.instant + timeout;
  client->channel.send_message(client->peer_info.has(ProtoBit::AuthPendingKeywords)
                                   ? fmt::format("AUTH_PENDING,timeout {}", timeout / 1s)
                                   : "AUTH_PENDING",
                               now);
  if (!pending.extra.empty()) client->channel.send_message("INFO_PRE," + pending.extra, now);
  serve(*client, now);
}

void ServerRole::give_up_inquiry(Client& client, Now now) {
  if (!client.inquiry) return;
  refuse(client,
         {.for_client = "the server could not decide in time",
          .for_log = "what was asked about it has not been answered in time",
          .is_temporary = true},
         now);
}

/// True when the message was an answer to a challenge, and a program judges it.
bool ServerRole::ask_about_challenge(Client& client, MessageReceived& event) {
  if (!config_.programs.challenge.is_set() || !event.text.starts_with(kChallengeWord)) return false;
  // One at a time: whoever guesses must wait for the verdict.
  if (client.challenge_question || (!client.inquiry && !client.is_established())) return false;
  PlaneQuestion question = question_about(client, QuestionKind::ChallengeResponse);
  if (client.inquiry) question.facts.username = client.inquiry->username;
  question.response = event.text.substr(kChallengeWord.size());
  wipe(event.text);
  client.challenge_question = questions_.ask(std::move(question));
  return true;
}

void ServerRole::note_challenge_answer(Client& client, const PlaneAnswer& answer, Now now) {
  client.challenge_question.reset();
  if (answer.accepted) return;
  refuse(client,
         {.for_client = answer.for_client,
          .for_log = answer.for_log,
          .is_temporary = answer.is_temporary},
         now);
}

void ServerRole::withdraw_inquiry(Client& client) {
  // The program may have learned it all the same, and is told to forget it.
  if (client.inquiry && client.inquiry->question && client.inquiry->step == Step::Learn) {
    settle_address(client, client.inquiry->to_learn.back(), true);
  }
  if (client.inquiry && client.inquiry->question) questions_.withdraw(*client.inquiry->question);
  if (client.challenge_question) questions_.withdraw(*client.challenge_question);
  client.challenge_question.reset();
  client.inquiry.reset();
}

/// Those that were told of a client hear that it has gone.
void ServerRole::tell_programs(Client& client) {
  if (client.is_announced && config_.programs.disconnect.is_set()) {
    questions_.ask(question_about(client, QuestionKind::Disconnect));
  }
  client.is_announced = false;
  if (!config_.programs.learn.is_set()) return;
  for (const Prefix& address : client.learned) {
    if (told_.leave(address, client.id)) tell_to_forget(client, address);
  }
  for (const Prefix& address : client.inherited) {
    if (told_.release(address)) tell_to_forget(client, address);
  }
  client.inherited.clear();
}

void ServerRole::tell_to_forget(const Client& client, const Prefix& address) {
  PlaneQuestion question = question_about(client, QuestionKind::Forget);
  question.address = address;
  questions_.ask(std::move(question));
}

/// Whoever replaces a session usually gets its addresses: so the program is not told to forget them
/// until it is known whether that is so.
void ServerRole::inherit_addresses(Client& client, Client& former) {
  if (!config_.programs.learn.is_set()) return;
  for (const Prefix& address : former.learned) {
    if (told_.hand_over(address, former.id)) client.inherited.push_back(address);
  }
  client.inherited.insert(client.inherited.end(), former.inherited.begin(), former.inherited.end());
  former.inherited.clear();
}

}  // namespace ringway

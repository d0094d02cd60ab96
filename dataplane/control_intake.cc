#include "dataplane/control_intake.h"

#include <algorithm>

#include "base/check.h"
#include "base/opcode.h"

namespace ringway {
namespace {

using Standing = KnownChannels::Standing;

bool is_client_reset(Bytes datagram) {
  const Opcode opcode = opcode_of(datagram[0]);
  return opcode == Opcode::HardResetClientV2 || opcode == Opcode::HardResetClientV3;
}

/// The sender's session id stands behind the first byte, whatever the wrapping.
SessionId claimed_session(Bytes datagram) {
  SessionId session;
  std::ranges::copy(datagram.subspan(1, SessionId::kSize), session.bytes.begin());
  return session;
}

const AdmissionSettings& admission_of(const DatapathSettings& settings) {
  RW_ASSERT(settings.admission.has_value());
  RW_ASSERT(settings.admission->wrap != nullptr);
  return *settings.admission;
}

HandshakeLimits::Settings limits_of(const DatapathSettings& settings) {
  HandshakeLimits::Settings limits = settings.admission->limits;
  limits.hash = settings.address_hash;
  return limits;
}

}  // namespace

ControlIntake::ControlIntake(const DatapathSettings& settings)
    : cookie_(admission_of(settings).hand_window),
      limits_(limits_of(settings), settings.self.value, settings.worker_count),
      gate_(*settings.admission->wrap, cookie_, &limits_),
      known_(settings.address_hash, settings.sessions_max),
      unproven_(kUnproven.part_of(settings.self.value, settings.worker_count)) {}

void ControlIntake::handle(const KnowChannel& command) {
  known_.put(command.endpoint, command.session, command.is_established);
}

void ControlIntake::handle(const ForgetChannel& command) {
  known_.remove(command.endpoint, command.session);
}

void ControlIntake::handle(const InstallCookieKey& command) { cookie_.add_key(command.key); }

void ControlIntake::handle(const CloseGate&) { cookie_.forget_keys(); }

Verdict ControlIntake::handle_datagram(Bytes datagram, const LinkEndpoint& from, Now now) {
  if (datagram.size() < 1 + SessionId::kSize) return Verdict::dropped(Drop::Truncated);
  if (datagram.size() > HandshakeGate::kDatagramSizeMax) return Verdict::dropped(Drop::Oversize);
  const SessionId session = claimed_session(datagram);
  switch (known_.find(from, session, now.instant)) {
    case Standing::Established: return Verdict::control();
    case Standing::Newcomer:
    case Standing::Proven: return Verdict::newcomer();
    case Standing::Unknown: break;
  }
  return meet_stranger(datagram, from, session, now);
}

Verdict ControlIntake::meet_stranger(Bytes datagram, const LinkEndpoint& from, SessionId session,
                                     Now now) {
  if (!cookie_.has_key()) return Verdict::dropped(Drop::NoKey);
  // A connection has one client.
  if (from.is_tcp() && known_.is_inhabited(from)) return Verdict::dropped(Drop::ForeignSession);
  const bool is_reset = is_client_reset(datagram);
  if (is_reset && !known_.may_answer_reset(from, now.instant)) {
    return Verdict::dropped(Drop::RateLimited);
  }

  const GateVerdict verdict = gate_.handle_datagram(datagram, from, now, answer_);
  if (const Drop* drop = std::get_if<Drop>(&verdict)) return Verdict::dropped(*drop);
  if (const GateReply* reply = std::get_if<GateReply>(&verdict)) {
    RW_ASSERT(reply->datagram.size() <= kAnswerSizeMax);
    // A first packet whose acknowledgement was lost is answered like a reset.
    if (!is_reset && !known_.may_answer_reset(from, now.instant)) {
      return Verdict::dropped(Drop::RateLimited);
    }
    known_.note_reset_answered(from, now.instant);
    return Verdict::to_link(MutableBytes(answer_).first(reply->datagram.size()), from);
  }
  if (std::holds_alternative<GateUnproven>(verdict)) {
    unproven_.roll(now.instant);
    if (!unproven_.is_left()) return Verdict::dropped(Drop::RateLimited);
    unproven_.add();
    return Verdict::newcomer();
  }
  known_.note_proven(from, session, now.instant);
  return Verdict::newcomer();
}

}  // namespace ringway

#include "dataplane/known_channels.h"

#include "base/check.h"

namespace ringway {

KnownChannels::KnownChannels(const AddressHash& hash, std::size_t expected_count)
    : hash_{hash},
      channels_(hash_, expected_count),
      places_(hash_, expected_count),
      proven_(kProvenMax) {}

void KnownChannels::put(const LinkEndpoint& at, SessionId session, bool is_established) {
  const Channel channel{.place = at, .session = session};
  const bool* const before = channels_.find(channel);
  const bool was_known = before != nullptr;
  const bool was_established = was_known && *before;
  channels_.insert_or_assign(channel, is_established);

  const Inhabited* const found = places_.find(channel.place);
  Inhabited place = found != nullptr ? *found : Inhabited{};
  if (!was_known) ++place.channels;
  if (was_established) --place.established;
  if (is_established) ++place.established;
  places_.insert_or_assign(channel.place, place);
}

void KnownChannels::remove(const LinkEndpoint& at, SessionId session) {
  const Channel channel{.place = at, .session = session};
  const bool* const known = channels_.find(channel);
  if (known == nullptr) return;
  const bool was_established = *known;
  channels_.erase(channel);

  const Inhabited* const found = places_.find(channel.place);
  RW_ASSERT(found != nullptr);
  Inhabited place = *found;
  --place.channels;
  if (was_established) --place.established;
  if (place.channels == 0) {
    places_.erase(channel.place);
  } else {
    places_.insert_or_assign(channel.place, place);
  }
}

void KnownChannels::note_proven(const LinkEndpoint& at, SessionId session, Instant now) {
  const Channel channel{.place = at, .session = session};
  proven_[slot_of(channel)] = {.channel = channel, .at = now, .is_used = true};
}

KnownChannels::Standing KnownChannels::find(const LinkEndpoint& at, SessionId session,
                                            Instant now) const {
  const Channel channel{.place = at, .session = session};
  if (const bool* const is_established = channels_.find(channel)) {
    return *is_established ? Standing::Established : Standing::Newcomer;
  }
  const ProvenLately& lately = proven_[slot_of(channel)];
  const bool is_proven =
      lately.is_used && lately.channel == channel && now - lately.at < kProvenTime;
  return is_proven ? Standing::Proven : Standing::Unknown;
}

bool KnownChannels::is_inhabited(const LinkEndpoint& at) const {
  return places_.find(at) != nullptr;
}

bool KnownChannels::may_answer_reset(const LinkEndpoint& at, Instant now) const {
  const Inhabited* const place = places_.find(at);
  if (place == nullptr || place->established == 0 || !place->reset_answered_at) return true;
  return now - *place->reset_answered_at >= kResetAnswerMin;
}

void KnownChannels::note_reset_answered(const LinkEndpoint& at, Instant now) {
  const Inhabited* const found = places_.find(at);
  if (found == nullptr || found->established == 0) return;
  Inhabited place = *found;
  place.reset_answered_at = now;
  places_.insert_or_assign(at, place);
}

std::size_t KnownChannels::slot_of(const Channel& channel) const {
  return (hash_(channel) ^ load_be64(channel.session.bytes.data())) % kProvenMax;
}

}  // namespace ringway

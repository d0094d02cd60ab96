#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "dataplane/admission/session_id.h"
#include "dataplane/flat_map.h"

namespace ringway {

/// Which control channels the control thread has, as a worker knows it: by the client's endpoint
/// and session id, which stand in every packet in the clear. Nothing is decided by it but the queue
/// that a packet takes and whether the gate looks at it first, so that it does no harm to be late
/// or wrong (docs/decisions/0010).
///
/// Whoever has just returned a cookie is remembered here, too, until the control thread has said
/// what has become of it: the rest of its ClientHello may be right behind.
///
/// Pure; one worker. put() and remove() may allocate; they are called for commands, of which the
/// control plane's own limits say how many channels they can make known.
class KnownChannels {
 public:
  enum class Standing : std::uint8_t {
    Unknown,
    Proven,       ///< returned a cookie a moment ago
    Newcomer,     ///< has a channel; has not authenticated
    Established,  ///< authenticated
  };
  static constexpr std::size_t kProvenMax = 1024;
  static constexpr Duration kProvenTime = 10s;

  /// Room for so many channels is made at once.
  KnownChannels(const AddressHash& hash, std::size_t expected_count);

  void put(const LinkEndpoint& at, SessionId session, bool is_established);
  void remove(const LinkEndpoint& at, SessionId session);
  void note_proven(const LinkEndpoint& at, SessionId session, Instant now);
  [[nodiscard]] Standing find(const LinkEndpoint& at, SessionId session, Instant now) const;

  /// Whether there is a channel, of anybody, at the endpoint.
  [[nodiscard]] bool is_inhabited(const LinkEndpoint& at) const;
  /// A reset from an endpoint where somebody is connected is answered once in kResetAnswerMin
  /// (security goal A15): whoever forges them shall not have the client flooded with answers.
  [[nodiscard]] bool may_answer_reset(const LinkEndpoint& at, Instant now) const;
  /// Nothing happens where nobody is connected.
  void note_reset_answered(const LinkEndpoint& at, Instant now);
  static constexpr Duration kResetAnswerMin = 1s;

  [[nodiscard]] std::size_t size() const { return channels_.size(); }

 private:
  struct Channel {
    LinkEndpoint place;
    SessionId session;
    friend bool operator==(const Channel&, const Channel&) = default;
  };
  /// Session ids, which peers choose, are not hashed: few channels are at one endpoint.
  struct Hash {
    AddressHash keyed;
    std::uint64_t operator()(const LinkEndpoint& place) const { return keyed(place.remote); }
    std::uint64_t operator()(const Channel& channel) const { return keyed(channel.place.remote); }
  };
  struct Inhabited {
    std::uint32_t channels = 0;
    std::uint32_t established = 0;
    std::optional<Instant> reset_answered_at;
  };
  struct ProvenLately {
    Channel channel;
    Instant at;
    bool is_used = false;
  };

  [[nodiscard]] std::size_t slot_of(const Channel& channel) const;

  Hash hash_;
  /// True: established.
  FlatMap<Channel, bool, Hash> channels_;
  FlatMap<LinkEndpoint, Inhabited, Hash> places_;
  /// By hash; the later takes the place of the earlier.
  std::vector<ProvenLately> proven_;
};

}  // namespace ringway

#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/address.h"
#include "base/time.h"
#include "dataplane/admission/handshake_cookie.h"
#include "dataplane/admission/handshake_gate.h"
#include "dataplane/admission/handshake_limits.h"
#include "dataplane/datapath_settings.h"
#include "dataplane/known_channels.h"
#include "dataplane/messages.h"
#include "dataplane/verdict.h"

namespace ringway {

/// What becomes of a control datagram at the worker that got it: whose channel the control thread
/// has goes there, who returned a cookie goes there behind those, and strangers meet the gate here,
/// where they cost the control thread nothing.
///
/// Pure; one worker. Nothing is allocated for a datagram but what TlsWrap says; with tls-crypt-v2 a
/// key is made and wiped for each that ends with an authentic wrapped key.
class ControlIntake {
 public:
  /// An answer is never larger.
  static constexpr std::size_t kAnswerSizeMax = 256;
  /// Resets of clients that cannot show their key twice (tls-crypt-v2 before 2.6) cost the control
  /// thread something before their address is proven: so many a second go on, of all workers.
  static constexpr RateLimit kUnproven{.count = 1000, .period = 1s};

  /// `settings.admission` is set. All references in it outlive this.
  explicit ControlIntake(const DatapathSettings& settings);
  ControlIntake(const ControlIntake&) = delete;
  ControlIntake& operator=(const ControlIntake&) = delete;

  void handle(const KnowChannel& command);
  void handle(const ForgetChannel& command);
  void handle(const InstallCookieKey& command);
  void handle(const CloseGate&);

  /// Way::Control, Way::Newcomer, Way::Dropped, or Way::Link with an answer that is valid until the
  /// next call. The datagram has a session id at least, and stays untouched.
  [[nodiscard]] Verdict handle_datagram(Bytes datagram, const LinkEndpoint& from, Now now);

 private:
  [[nodiscard]] Verdict meet_stranger(Bytes datagram, const LinkEndpoint& from, SessionId session,
                                      Now now);

  HandshakeCookie cookie_;
  HandshakeLimits limits_;
  HandshakeGate gate_;
  KnownChannels known_;
  PeriodCount unproven_;
  std::array<std::uint8_t, HandshakeGate::kDatagramSizeMax> answer_{};
};

}  // namespace ringway

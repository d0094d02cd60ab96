#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "control/channel/tls_context.h"
#include "control/config/config.h"
#include "control/control_plane.h"

namespace ringway {

/// Looks every few seconds whether `crl-verify` says something new, and if so tells the TLS context
/// (new handshakes) and the control plane (clients that are connected). A list that cannot be read
/// or parsed changes nothing, and is complained about once (security goal B11).
///
/// SHELL: reads files; used by the control thread. Does nothing without crl-verify.
class RevocationWatch {
 public:
  /// How often it looks: what is revoked is out within twice that.
  static constexpr Duration kInterval = 2s;

  RevocationWatch(const TlsConfig& config, TlsContext& tls, ControlPlane& plane);

  [[nodiscard]] bool is_active() const;
  /// Looks now if it is time, or if `forced`.
  void look(Now now, bool forced = false);
  /// When look() has something to do.
  [[nodiscard]] std::optional<Instant> next() const;

 private:
  /// What a file is told apart by without reading it.
  struct Stamp {
    std::int64_t modified_ns = 0;
    std::int64_t size = -1;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  [[nodiscard]] Stamp stamp() const;
  void load_list(Now now);
  void load_directory(Now now);
  void complain(const std::string& text);

  const TlsConfig& config_;
  TlsContext& tls_;
  ControlPlane& plane_;
  Stamp seen_;
  Instant next_;
  bool complained_ = false;
};

}  // namespace ringway

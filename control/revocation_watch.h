#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "base/unique_fd.h"
#include "control/channel/tls_context.h"
#include "control/config/config.h"
#include "control/control_plane.h"
#include "control/programs/server_programs.h"

namespace ringway {

/// Looks every few seconds whether `crl-verify` says something new, and if so tells the TLS context
/// (new handshakes) and the control plane (clients that are connected). A list that cannot be read
/// or parsed changes nothing, and is complained about once (security goal B11).
///
/// The helper process opens what is read: only root may read a list that lies beside an authority's
/// key, and the server is root no more, or has none of root's capabilities.
///
/// SHELL: reads files; used by the control thread. Does nothing without crl-verify.
class RevocationWatch {
 public:
  /// How often it looks: what is revoked is out within twice that.
  static constexpr Duration kInterval = 2s;

  RevocationWatch(const TlsConfig& config, TlsContext& tls, ControlPlane& plane,
                  ServerPrograms& programs);

  /// Before privileges are dropped and anybody is served: reads the directory that is watched once.
  /// An error must keep the server from starting, since everybody would be let in.
  Result<void> open(Now now);
  [[nodiscard]] bool is_active() const;
  /// Has it opened if it is time, or if `forced`, and reads what has been opened. Call every turn.
  void look(Now now, bool forced = false);
  /// When look() has something to do.
  [[nodiscard]] std::optional<Instant> next() const;

 private:
  /// What a file is told apart by without reading it.
  struct Stamp {
    std::uint64_t inode = 0;
    std::int64_t modified_ns = 0;
    std::int64_t size = -1;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  static Stamp stamp_of(const UniqueFd& file);
  [[nodiscard]] FileOpened open_here() const;
  void judge(const FileOpened& opened, Now now);
  [[nodiscard]] Result<void> load_list(const UniqueFd& file, Now now);
  [[nodiscard]] Result<void> load_directory(const UniqueFd& directory, Now now);
  void complain(const std::string& text);

  const TlsConfig& config_;
  TlsContext& tls_;
  ControlPlane& plane_;
  ServerPrograms& programs_;
  std::optional<Stamp> seen_;
  Instant next_;
  bool is_forced_ = false;
  bool complained_ = false;
};

}  // namespace ringway

#pragma once

#include <span>
#include <vector>

#include "base/address.h"
#include "base/error.h"
#include "control/client_bypass.h"
#include "control/undo_journal.h"
#include "tun/host_routes.h"

namespace ringway {

/// The routes beside one tunnel, set while this exists.
///
/// SHELL: one thread; needs CAP_NET_ADMIN. `journal` outlives it.
class HostBypass {
 public:
  /// `tunnel` is the number of the TUN device.
  static Result<HostBypass> open(unsigned tunnel, UndoJournal& journal);
  HostBypass(HostBypass&&) = default;
  HostBypass& operator=(HostBypass&&) = delete;
  ~HostBypass();

  /// Sets what `network` needs beside the tunnel while `servers` are spoken to, and takes away what
  /// it needs no more. Call it before the routes into the tunnel are set, and again when the
  /// servers or the host's own routes may have changed. What it gives are routes into the tunnel
  /// that belong to it.
  Result<std::vector<LinkRoute>> set(const ClientNetwork& network,
                                     std::span<const IpAddress> servers);

 private:
  HostBypass(HostRoutes routes, unsigned tunnel, UndoJournal& journal)
      : host_(std::move(routes)), tunnel_(tunnel), journal_(&journal) {}
  Result<void> add(const HostRoute& route);
  void remove(const HostRoute& route);

  HostRoutes host_;
  unsigned tunnel_;
  UndoJournal* journal_;
  /// Ours.
  std::vector<HostRoute> set_;
};

/// The journal's line for a route, and what undoes any line of a client's journal.
std::string route_deed(const HostRoute& route);
Result<void> undo_deed(const std::string& deed);

}  // namespace ringway

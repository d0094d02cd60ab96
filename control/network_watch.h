#pragma once

#include "base/address.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/unique_fd.h"

namespace ringway {

/// Hears from the kernel (rtnetlink) when this host's addresses and routes change.
///
/// SHELL: one thread. Move-only.
class NetworkWatch {
 public:
  struct Change {
    /// An address or a route was added.
    bool gained = false;
    /// An address or a route has gone.
    bool lost = false;

    /// Adds what the kernel's messages say, whole ones up to the first that is not. Pure.
    void add(Bytes messages);
  };

  static Result<NetworkWatch> open();

  /// What has changed since the last call. Does not block.
  [[nodiscard]] Change take();
  /// Readable when something has.
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  explicit NetworkWatch(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

/// Whether this host has `own`'s address at the moment: whether a socket can be bound to it.
[[nodiscard]] bool has_address(const Endpoint& own);

}  // namespace ringway

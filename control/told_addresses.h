#pragma once

#include <cstddef>
#include <map>
#include <optional>

#include "base/address.h"
#include "control/client_id.h"

namespace ringway {

/// Whose each inner address or network is, as `learn-address` was told. An address that goes from
/// one client to another straight away is an update: were the new client's `add` followed by the
/// old one's `delete`, a program that keeps a firewall would shut out the new one.
///
/// Pure; used by one thread; bounded by what its clients have.
class ToldAddresses {
 public:
  /// The next to hear of it is told `update`, not `add`.
  [[nodiscard]] bool is_known(const Prefix& address) const { return told_.contains(address); }
  /// The program is told that `client` has it; settle() follows.
  void begin(const Prefix& address);
  /// What the program said. True: it is to be told `delete`, since the one before has left.
  [[nodiscard]] bool settle(const Prefix& address, ClientId client, bool is_accepted);
  /// `client` leaves. True: the program is to be told `delete`; otherwise it is another's, or the
  /// program is being told so.
  [[nodiscard]] bool leave(const Prefix& address, ClientId client);
  /// `client` leaves to another that will probably have it: false when it was not this client's.
  /// release() follows, whatever comes.
  [[nodiscard]] bool hand_over(const Prefix& address, ClientId client);
  /// True: nobody has taken what was handed over, and the program is to be told `delete`.
  [[nodiscard]] bool release(const Prefix& address);

  [[nodiscard]] std::size_t size() const { return told_.size(); }

 private:
  struct Told {
    /// Unset: of nobody, so far.
    std::optional<ClientId> owner;
    /// The owner has left, and the program does not know.
    bool is_left = false;
    /// Questions without an answer.
    std::size_t asked = 0;
  };
  std::map<Prefix, Told> told_;
};

}  // namespace ringway

#pragma once

#include <poll.h>

#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/error.h"
#include "base/unique_fd.h"
#include "control/connect_race.h"

namespace ringway {

/// Asks the system's resolver for addresses (/etc/hosts, DNS, mDNS: whatever nsswitch.conf names),
/// and never waits for it: each question has a thread of its own, which shares nothing with us but
/// the socket into which it writes the answer. One that is not wanted any more, also because the
/// process ends, is left to itself.
///
/// SHELL: used by one thread. Open after the signals are blocked: the threads inherit that.
class AddressQueries {
 public:
  /// Unanswered questions at a time; more are refused.
  static constexpr std::size_t kOpenMax = 64;

  struct Answer {
    std::string host;
    ConnectRace::Family family = ConnectRace::Family::V6;
    /// In the resolver's order (RFC 6724); their ports are 0. At most ConnectRace::kAddressesMax.
    std::vector<Endpoint> addresses;
    /// Why there is none.
    std::string failure;
  };

  /// The same question is not asked twice at a time: who asks again gets the answer to the first.
  Result<void> ask(const std::string& host, ConnectRace::Family family);
  /// What to wait for: the answers that are still to come.
  void add_to(std::vector<pollfd>& waiting) const;
  /// The next answer that has come, if any. Does not block.
  [[nodiscard]] std::optional<Answer> take();

 private:
  struct Open {
    std::string host;
    ConnectRace::Family family;
    UniqueFd answer;
  };
  std::vector<Open> open_;
};

}  // namespace ringway

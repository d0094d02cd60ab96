#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "control/config/config.h"
#include "tun/host_links.h"

namespace ringway {

/// A line for the log.
struct AddressNote {
  enum class Level { Info, Warning } level = Level::Info;
  std::string text;
};

/// What changes of the host's own addresses mean for who wants to reach the listeners: an address
/// that is gone or back, a renumbered prefix, an interface that is down. It tells; nothing has to
/// be done, because a socket that is bound to an address serves it again when it returns.
///
/// Pure: hand it what the host has whenever that may have changed. Used by the control thread. At
/// most kNotesPerWindow lines a kWindow; how many more there were is said once, when it ends.
class AddressWatch {
 public:
  static constexpr std::size_t kNotesPerWindow = 12;
  static constexpr Duration kWindow = 60s;

  /// The listeners' names have been looked up. `own_device`: the tunnel's, of which nothing is
  /// said.
  AddressWatch(const ServerConfig& config, std::string own_device, std::vector<HostLink> links);

  void handle_links(std::vector<HostLink> links, Instant now);
  void handle_timeout(Instant now);
  [[nodiscard]] std::optional<Instant> poll_timeout() const;
  std::optional<AddressNote> poll_note();

 private:
  struct Place {
    const HostLink* link = nullptr;
    const LinkAddress* address = nullptr;
  };
  static Place find(const std::vector<HostLink>& links, const IpAddress& address);

  void compare_listener(const ListenConfig& listen, const std::vector<HostLink>& links,
                        Instant now);
  void compare_device(const std::vector<HostLink>& links, Instant now);
  /// For listeners on every address.
  void compare_all(const std::vector<HostLink>& links, Instant now);
  void compare_links(const std::vector<HostLink>& links, Instant now);
  /// One that clients may come in by, and a listener serves.
  [[nodiscard]] bool matters(const HostLink& link, const LinkAddress& address) const;
  void note(AddressNote::Level level, std::string text, Instant now);

  std::vector<ListenConfig> listens_;
  std::string bind_device_;
  std::string own_device_;
  bool serves_all_v4_ = false;
  bool serves_all_v6_ = false;
  std::vector<HostLink> links_;

  std::deque<AddressNote> notes_;
  std::optional<Instant> window_end_;
  std::size_t window_count_ = 0;
  std::size_t left_out_ = 0;
};

}  // namespace ringway

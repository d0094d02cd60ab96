#include "control/address_log.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace ringway {

AddressLog::AddressLog(const ServerConfig& config, const std::string& own_device) {
  // The bell comes first: what changes in between rings it.
  Result<HostLinkBell> bell = HostLinkBell::open();
  Result<std::vector<HostLink>> links = read_host_links();
  if (!bell || !links) {
    log::warning("changes of the host's addresses will not be logged: {}",
                 (bell ? links.error() : bell.error()).to_string());
    return;
  }
  bell_ = std::move(*bell);
  watch_.emplace(config, own_device, std::move(*links));
}

void AddressLog::look(Now now) {
  if (!watch_) return;
  if (bell_->silence() && !due_) due_ = now.instant + kSettle;
  if (due_ && now.instant >= *due_) {
    due_.reset();
    if (Result<std::vector<HostLink>> links = read_host_links()) {
      watch_->handle_links(std::move(*links), now.instant);
    } else {
      due_ = now.instant + kSettle;
    }
  }
  watch_->handle_timeout(now.instant);
  while (const std::optional<AddressNote> note = watch_->poll_note()) {
    log::line(note->level == AddressNote::Level::Warning ? log::Level::Warning : log::Level::Info,
              note->text);
  }
}

std::optional<Instant> AddressLog::next() const {
  if (!watch_) return std::nullopt;
  const std::optional<Instant> window = watch_->poll_timeout();
  return due_ && window ? std::min(*due_, *window) : due_ ? due_ : window;
}

}  // namespace ringway

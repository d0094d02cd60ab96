#include "control/server_files.h"

#include <ctime>
#include <utility>

namespace ringway {

std::vector<ClientStatus> client_statuses(const ControlPlane& plane, const WorkerGroup& workers,
                                          Now now) {
  std::vector<ClientStatus> statuses;
  for (ClientSummary& client : plane.clients()) {
    ClientStatus status{.last_heard = client.connected_since};
    if (const auto traffic = workers.traffic().of(client.peer_id)) {
      status.bytes_received = traffic->bytes_received;
      status.bytes_sent = traffic->bytes_sent;
      status.path_mtu = traffic->path_mtu;
      status.path_is_proven = traffic->path_is_proven;
      const auto silent =
          std::chrono::duration_cast<std::chrono::seconds>(now.instant - traffic->last_received);
      const UnixTime heard{now.wall.seconds - silent.count()};
      if (heard > status.last_heard) status.last_heard = heard;
    }
    status.client = std::move(client);
    statuses.push_back(std::move(status));
  }
  return statuses;
}

std::string status_text(const ServerConfig& config, const ControlPlane& plane,
                        const WorkerGroup& workers, Now now) {
  const std::time_t wall = now.wall.seconds;
  std::tm local{};
  ::localtime_r(&wall, &local);
  return status_report(config.status_version, client_statuses(plane, workers, now), now.wall,
                       local.tm_gmtoff);
}

ServerFiles::ServerFiles(const ServerConfig& config) : config_(config) {
  if (!config.status_file.empty()) status_.emplace("status", config.status_file);
  if (!config.pool_persist_file.empty()) {
    leases_.emplace("ifconfig-pool-persist", config.pool_persist_file);
  }
}

Result<void> ServerFiles::open() {
  if (status_) {
    if (Result<void> opened = status_->open(); !opened) return opened;
  }
  if (leases_) {
    if (Result<void> opened = leases_->open(); !opened) return opened;
  }
  return {};
}

std::string ServerFiles::persisted_leases() const { return leases_ ? leases_->read() : ""; }

void ServerFiles::write_due(const ControlPlane& plane, const WorkerGroup& workers, Now now,
                            bool final) {
  if (status_ && (final || now.instant >= next_status_)) {
    next_status_ = now.instant + config_.status_interval;
    status_->write(status_text(config_, plane, workers, now), now);
  }
  // An interval of 0 means that the operator keeps the file, and the server only reads it.
  if (!leases_ || config_.pool_persist_interval == Duration{0}) return;
  if (!next_leases_) next_leases_ = now.instant + config_.pool_persist_interval;
  if (!final && now.instant < *next_leases_) return;
  next_leases_ = now.instant + config_.pool_persist_interval;
  std::string text = plane.leases_text();
  if (text == written_leases_) return;
  if (leases_->write(text, now)) written_leases_ = std::move(text);
}

std::optional<Instant> ServerFiles::next() const {
  std::optional<Instant> next;
  if (status_) next = next_status_;
  if (leases_ && next_leases_ && config_.pool_persist_interval > Duration{0}) {
    if (!next || *next_leases_ < *next) next = next_leases_;
  }
  return next;
}

}  // namespace ringway

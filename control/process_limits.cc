#include "control/process_limits.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>

#include "control/control_plane.h"
#include "dataplane/channel/epoch_keys.h"
#include "dataplane/channel/key_slots.h"
#include "dataplane/worker_limits.h"

namespace ringway {
namespace {

/// Logs, signals, programs, revocation, netlink, ICMP, BPF maps, status: what there is once.
constexpr std::uint64_t kFilesOfTheProcess = 64;
/// A ring, a queue of the TUN, a bell.
constexpr std::uint64_t kFilesOfAWorker = 3;
/// Code, libraries, stacks and the heap of a server without clients.
constexpr std::uint64_t kMemoryOfTheProcess = 32 << 20;

/// Of the epoch format, which has the most: the keys of each negotiation, with the secrets of two
/// schedules; and two pairs on their way here. The channel's own are few.
constexpr std::size_t kSecretsPerClient = KeySlots::kCountMax * (EpochKeys::kKeysMax + 2) + 4 + 4;
constexpr std::size_t kSecretsPerHalfOpen = 4;
/// The newest and the older keys of a session, where the engine keeps them here. New ones take the
/// place of those that are wiped first. But a client that comes back to another worker has its new
/// session's first keys there, perhaps before the worker it leaves has wiped both old ones.
constexpr std::size_t kSchedulesPerClient = KeySlots::kCountMax * EpochKeys::kKeysMax + 2;
constexpr std::size_t kSchedulesOfSelfTests = 16;

std::uint64_t listener_count(const ServerConfig& config, bool is_tcp) {
  return static_cast<std::uint64_t>(
      std::ranges::count(config.listen, is_tcp, &ListenConfig::is_tcp));
}

std::uint64_t memory_of_a_worker(const ServerConfig& config, const WorkerPlan& plan) {
  const WorkerLimits limits;
  std::uint64_t bytes = limits.tun_receive(plan.offloads.tun) + limits.relayed_size +
                        limits.taken_over_size + limits.control_ring_size +
                        limits.newcomer_ring_size + limits.lane_size * (plan.count - 1u);
  if (listener_count(config, false) > 0) {
    bytes += limits.link_receive(plan.offloads) + limits.send(plan.offloads);
  }
  if (listener_count(config, true) > 0) {
    bytes += limits.stream_receive_size + limits.from_control_size;
  }
  return bytes;
}

std::uint64_t limit_of(__rlimit_resource resource) {
  rlimit limit{};
  if (::getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return ProcessLimits::kNone;
  }
  return limit.rlim_cur;
}

std::string counted(std::size_t count, const char* noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

Result<void> check_memory(std::uint64_t needed, std::uint64_t limit, const char* unit_line,
                          const char* ulimit) {
  if (limit >= needed) return {};
  return fail(fmt::format("at most {} MiB of memory are allowed, and {} are taken at start",
                          limit >> 20, needed >> 20),
              {},
              fmt::format("raise {} in the systemd unit (`ulimit {}`), or write fewer `workers` or "
                          "`max-clients`",
                          unit_line, ulimit));
}

std::uint64_t memory_with_secrets(const ServerConfig& config) {
  const SecretArena::Room room = room_for_secrets(config);
  return kMemoryOfTheProcess + room.slots * SecretArena::kSlotSize +
         room.key_schedules * SecretArena::kKeyScheduleSize;
}

Result<void> check_memory(std::uint64_t needed, const ProcessLimits& limits) {
  Result<void> fits = check_memory(needed, limits.address_space, "LimitAS=", "-v");
  return fits ? check_memory(needed, limits.data, "LimitDATA=", "-d") : fits;
}

}  // namespace

std::uint64_t files_needed(const ServerConfig& config, const WorkerPlan& plan) {
  // Each listener is a socket of every worker; the control thread has duplicates of one of UDP.
  return kFilesOfTheProcess + listener_count(config, false) +
         plan.count * (kFilesOfAWorker + config.listen.size());
}

SecretArena::Room room_for_secrets(const ServerConfig& config) {
  return {.slots = SecretArena::kDefaultSlots + kSecretsPerClient * config.clients_max +
                   kSecretsPerHalfOpen * ControlPlane::kHalfOpenMax,
          .key_schedules = kSchedulesOfSelfTests + kSchedulesPerClient * config.clients_max};
}

std::uint64_t memory_needed(const ServerConfig& config, const WorkerPlan& plan) {
  return memory_with_secrets(config) + plan.count * memory_of_a_worker(config, plan);
}

Result<void> check_limits(const ServerConfig& config, const WorkerPlan& plan,
                          const ProcessLimits& limits) {
  const std::uint64_t files = files_needed(config, plan);
  if (limits.files < files) {
    return fail(fmt::format("at most {} files may be open, and {} with {} need {}", limits.files,
                            counted(plan.count, "worker"),
                            counted(config.listen.size(), "listener"), files),
                {},
                "raise LimitNOFILE= in the systemd unit (`ulimit -n`), or write fewer `workers`");
  }
  return check_memory(memory_needed(config, plan), limits);
}

Result<void> check_secrets(const ServerConfig& config, const ProcessLimits& limits) {
  return check_memory(memory_with_secrets(config), limits);
}

std::optional<std::string> warning_of_limits(const ServerConfig& config,
                                             const ProcessLimits& limits) {
  if (listener_count(config, true) == 0) return std::nullopt;
  const std::uint64_t wanted = config.clients_max + WorkerLimits{}.half_open_streams_max + 256;
  if (limits.files >= wanted) return std::nullopt;
  return fmt::format(
      "at most {} files may be open, which is too few for `max-clients {}` over TCP: raise "
      "LimitNOFILE= in the systemd unit (`ulimit -n`)",
      limits.files, config.clients_max);
}

ProcessLimits raise_limits() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  return {.files = limit_of(RLIMIT_NOFILE),
          .address_space = limit_of(RLIMIT_AS),
          .data = limit_of(RLIMIT_DATA)};
}

}  // namespace ringway

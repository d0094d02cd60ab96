#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "control/config/config.h"
#include "control/worker_plan.h"
#include "dataplane/datapath.h"
#include "dataplane/tcp_socket.h"
#include "dataplane/udp_socket.h"
#include "dataplane/worker_limits.h"
#include "tun/tun_device.h"
#include "tun/tun_steering.h"

/// What run_server() builds before any thread runs: each function makes one part from the
/// configuration. SHELL: they open sockets and devices, and log what they found.
namespace ringway {

/// Room for every secret that the configured number of clients can need. A kernel that does not let
/// it be locked into memory is worth a warning; a limit that leaves no such room is an error.
[[nodiscard]] Result<void> reserve_secrets(const ServerConfig& config);
/// An error at `where` when the options fill more messages than are sent. Logs those that cannot be
/// sent at all.
Result<void> check_pushes(const std::vector<std::string>& pushes, const std::string& where);
/// Looks up what `local` names, and puts a listener of each address in its place.
Result<void> look_up_listeners(ServerConfig& config);
/// One group a UDP listener, with one socket a worker. Logs what is served where. Takes GRO out of
/// the plan when a socket does not get it. First of all it raises the process's limits, and
/// compares them with the plan.
Result<std::vector<UdpSocketGroup>> open_listeners(const ServerConfig& config, WorkerPlan& plan);
/// The same for TCP; LinkEndpoint::listener counts on behind those of UDP.
Result<std::vector<TcpListenerGroup>> open_tcp_listeners(const ServerConfig& config,
                                                         const WorkerPlan& plan);
/// What a worker may use, for so many clients.
WorkerLimits worker_limits(const ServerConfig& config);
/// A configured TUN that is up, with one queue a worker. What of `wanted` the kernel grants is in
/// its offloads().
Result<TunDevice> open_tun(const TunnelConfig& config, std::uint16_t worker_count,
                           const TunOffloads& wanted);
/// Nothing, and a warning, where the kernel cannot.
std::optional<TunSteering> steer_tun(TunDevice& tun, const ServerConfig& config);
DatapathSettings datapath_settings(const ServerConfig& config);

/// "udp: serving IPv4 on 0.0.0.0:1194 and IPv6 on [::]:1194 through one socket ..." Pure.
std::string listener_line(const ListenConfig& listen, const Endpoint& bound, bool without_ipv6);

}  // namespace ringway

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "control/channel/tls_context.h"
#include "perf/src/wire/drop_places.h"
#include "perf/src/wire/fleet.h"
#include "perf/src/wire/nic.h"
#include "perf/src/wire/run_plan.h"
#include "perf/src/wire/run_result.h"

namespace ringway::wire {

/// What the lab is asked to be. Value.
struct LabSettings {
  std::uint32_t clients = 1;
  /// 4 or 6: the family outside; inside it is IPv4.
  unsigned family = 4;
  std::uint16_t queues = 1;
  std::uint16_t port = 1194;
  DataCipher cipher = DataCipher::Aes256Gcm;
  std::string ca_path;
  std::string cert_path;
  std::string key_path;
  /// The server's TUN device, whose drops are counted.
  std::string server_device = "tun0";
  /// Set: a forwarder without cryptography is measured, and client n has this address + n inside.
  std::string plain_address;
};

/// Both wires, and everybody at their other ends:
///
///   clients 198.18.0.1...       "outer0"                       "inner0"    the Internet
///           2001:db8:1::1...    192.0.2.1, 2001:db8::1         203.0.113.1   203.0.113.2
///
/// SHELL: one thread; made in the network namespace of the server, before it starts.
class Lab {
 public:
  static Result<std::unique_ptr<Lab>> make(const LabSettings& settings);

  Result<void> connect(Duration limit) { return fleet_.connect(limit); }
  /// Between runs, now and then: keeps the clients alive.
  void service() { fleet_.service(read_clocks()); }
  /// Error: an offload that the kernel lacks, or more clients than the fleet has.
  Result<RunResult> run(const RunPlan& plan);

 private:
  struct Files {
    TlsContext tls;
    std::unique_ptr<AeadEngines> engines;
    ClientSettings client;
  };
  static Result<Files> read_files(const LabSettings& settings);

  Lab(const LabSettings& settings, const FleetPlan& plan, Files files, Nic outer, Nic inner);

  DeviceNames names_;
  Files files_;
  TlsWrap wrap_;
  Nic outer_;
  Nic inner_;
  Fleet fleet_;
  std::uint32_t last_block_ = 0;
};

}  // namespace ringway::wire

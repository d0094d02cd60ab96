#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/error.h"
#include "control/client_network.h"
#include "control/command_queue.h"
#include "control/config/client_config.h"

namespace ringway {

/// The profile's scripts at one device's comings and goings, with OpenVPN's arguments and
/// environment.
///
/// SHELL: starts programs. `config` and `commands` outlive it.
class ClientScripts {
 public:
  struct Facts {
    std::string device;
    Endpoint server;
  };
  ClientScripts(Facts facts, const ClientNetwork& network, const ClientConfig& config,
                CommandQueue& commands);

  /// `up`, `route-up` and `ipchange`, in the background.
  void run_up();
  /// `route-pre-down`, and `down`: each waits for its end.
  void run_before_down();
  void run_down();

  /// Why the client must end: `up` has failed, as in OpenVPN.
  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }

  /// Besides script_type and script_context, which differ from script to script. Pure.
  static std::vector<std::string> environment(const Facts& facts, const ClientNetwork& network,
                                              const ClientConfig& config);
  /// What `up` and `down` are given behind their own parameters, but for the last. Pure.
  static std::vector<std::string> arguments(const Facts& facts, const ClientNetwork& network);

 private:
  [[nodiscard]] std::optional<Command> command(std::string_view type, const std::string& script,
                                               const std::vector<std::string>& arguments) const;
  void run(std::string_view type, const std::string& script,
           const std::vector<std::string>& arguments);

  ScriptConfig scripts_;
  std::vector<std::string> environment_;
  std::vector<std::string> arguments_;
  Endpoint server_;
  CommandQueue& commands_;
  std::optional<Error> failure_;
};

}  // namespace ringway

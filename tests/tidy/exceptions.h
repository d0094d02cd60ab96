#pragma once

#include <array>
#include <string_view>

/// The exceptions that the tidy tests grant, each with its reason.
namespace ringway::test {

/// A source file without a unit test of its own, with what covers it instead. Shells belong here:
/// they are system calls in a row, and are tested on a real kernel.
struct TestedElsewhere {
  std::string_view path;
  std::string_view covered_by;
};

inline constexpr std::array kTestedElsewhere = {
    TestedElsewhere{"base/check.cc", "prints and aborts; every RW_ASSERT is a use of it"},
    TestedElsewhere{"base/log.cc", "a thin layer over spdlog; the interop tests read its lines"},
    TestedElsewhere{"base/random.cc", "one call of libsodium; a test has nothing to compare with"},
    TestedElsewhere{"base/time.cc", "two calls of clock_gettime"},
    TestedElsewhere{"control/client_book.cc",
                    "the plane's bookkeeping; control_plane_test.cc and the simulation"},
    TestedElsewhere{"control/client_device.cc", "shell; tests/interop/ringway_client_test.sh"},
    TestedElsewhere{"control/client_loop_link.cc", "the loop's shell; client_loop_test.cc"},
    TestedElsewhere{"control/client_loop_tun.cc", "the loop's shell; client_loop_test.cc"},
    TestedElsewhere{"control/client_session.cc", "shell; tests/interop/ringway_client_test.sh"},
    TestedElsewhere{"control/client_shell.cc", "shell; tests/interop/ringway_client_test.sh"},
    TestedElsewhere{"control/command_dispatch.cc",
                    "queues of the shell; tests/interop/twenty_clients_test.sh"},
    TestedElsewhere{"control/config/config_reader.cc",
                    "the parsers' common part; config_parser_test.cc and profile_parser_test.cc"},
    TestedElsewhere{"control/config/options_cipher.cc",
                    "rows of the option table; config_parser_test.cc"},
    TestedElsewhere{"control/config/options_client.cc",
                    "rows of the option table; config_parser_test.cc"},
    TestedElsewhere{"control/config/options_foreign.cc",
                    "rows of the option table; config_errors_test.cc"},
    TestedElsewhere{"control/config/options_link.cc",
                    "rows of the option table; config_parser_test.cc"},
    TestedElsewhere{"control/config/options_process.cc",
                    "rows of the option table; config_parser_test.cc"},
    TestedElsewhere{"control/config/options_timer.cc",
                    "rows of the option table; config_parser_test.cc"},
    TestedElsewhere{"control/config/options_tls.cc",
                    "rows of the option table; config_parser_test.cc"},
    TestedElsewhere{"control/config/options_tunnel.cc",
                    "rows of the option table; config_parser_test.cc"},
    TestedElsewhere{"control/config/options_unserved.cc",
                    "rows of the option table; config_errors_test.cc"},
    TestedElsewhere{"control/config/options_worker.cc",
                    "rows of the option table; config_errors_test.cc"},
    TestedElsewhere{"control/config/profile_options.cc",
                    "rows of the profile's table; profile_parser_test.cc"},
    TestedElsewhere{"control/config/profile_refusals.cc",
                    "rows of the profile's table; profile_parser_test.cc"},
    TestedElsewhere{"control/control_thread.cc", "shell; every interop test"},
    TestedElsewhere{"control/pid_file.cc",
                    "shell; tests/interop/openvpn_client_test.sh and bad_input_test.sh"},
    TestedElsewhere{"control/privileges.cc", "shell; tests/interop/operation_test.sh"},
    TestedElsewhere{"control/revocation_watch.cc", "shell; tests/interop/operation_test.sh"},
    TestedElsewhere{"control/server.cc", "the composition root; every interop test"},
    TestedElsewhere{"control/server_files.cc",
                    "shell; tests/interop/exit_notify_test.sh and operation_test.sh"},
    TestedElsewhere{"control/server_role.cc",
                    "the plane's answers to events; control_plane_test.cc"},
    TestedElsewhere{"control/signal_inbox.cc", "shell; tests/interop/exit_notify_test.sh"},
    TestedElsewhere{"dataplane/link_feeder.cc",
                    "between the TUN and the sockets; worker_downlink_test.cc"},
    TestedElsewhere{"dataplane/worker_loop.cc",
                    "the worker's shell; worker_test.cc and worker_turns_test.cc"},
    TestedElsewhere{"dataplane/worker_loop_link.cc", "the worker's shell; worker_test.cc"},
    TestedElsewhere{"dataplane/worker_loop_tun.cc", "the worker's shell; worker_test.cc"},
    TestedElsewhere{"tools/client_command.cc", "shell; tests/tools/command_line_test.sh"},
    TestedElsewhere{"tools/ringway.cc", "the command table; tests/tools/command_line_test.sh"},
    TestedElsewhere{"tools/server_command.cc", "shell; tests/tools/command_line_test.sh"},
};

/// A use of something that is banned, with the reason why nothing else would do.
struct AllowedUse {
  std::string_view path;
  std::string_view call;
  std::string_view reason;
};

inline constexpr std::array kAllowedUses = {
    AllowedUse{"base/check.cc", "abort", "what an assertion does when it fails"},
    AllowedUse{"base/check.cc", "fprintf", "the log may be what is broken"},
    AllowedUse{"control/client_loop.cc", "sleep_for", "the ring that would wait has failed"},
    AllowedUse{"dataplane/admission/hmac_key.cc", "reinterpret_cast", "wipes a library's struct"},
    AllowedUse{"dataplane/channel/aead_ipsec_mb.cc", "reinterpret_cast",
               "the library's type for a key schedule"},
    AllowedUse{"dataplane/link_message.cc", "const_cast", "an iovec to send from"},
    AllowedUse{"dataplane/tun_writer.cc", "const_cast", "an iovec to write from"},
    AllowedUse{"dataplane/worker_loop.cc", "sleep_for", "the ring that would wait has failed"},
    AllowedUse{"perf/src/floor/flood.cc", "sleep_for", "paces a flood; nothing is waited for"},
    AllowedUse{"perf/src/floor/forwarder.cc", "const_cast", "an iovec to write from"},
    AllowedUse{"perf/src/floor/link_socket.cc", "const_cast", "a message to send from"},
    AllowedUse{"perf/src/loadgen/main.cc", "catch", "CLI11 reports by exception"},
    AllowedUse{"tests/dataplane/link_client.h", "system", "sets up a network with iproute2"},
    AllowedUse{"tests/sim/openssl_dice.cc", "rand", "the name of OpenSSL's method table"},
    AllowedUse{"tools/ringway.cc", "catch", "CLI11 reports by exception"},
};

}  // namespace ringway::test

#include "tools/probe_command.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <utility>

#include "control/config/config_files.h"
#include "control/config/config_lexer.h"
#include "control/config/profile_parser.h"
#include "control/probe_login.h"
#include "control/probe_shell.h"
#include "tools/working_directory.h"

namespace ringway {
namespace {

constexpr std::uint16_t kPortDefault = 1194;

bool is_file(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && !S_ISDIR(status.st_mode);
}

/// A profile around what the command line says, so that keys are read and judged as in one.
std::string profile_around(const ProbeArguments& arguments) {
  std::string text =
      "client\ndev tun\nca none\ncert none\nkey none\nremote-cert-tls server\nremote none\n";
  const auto add = [&](std::string_view option, const std::string& value) {
    if (!value.empty()) text += fmt::format("{} {}\n", option, quote_config_word(value));
  };
  add("tls-crypt", arguments.tls_crypt);
  add("tls-auth", arguments.tls_auth);
  add("auth", arguments.auth);
  // The half that a client uses as a rule.
  if (!arguments.tls_auth.empty()) {
    text += fmt::format("key-direction {}\n", arguments.key_direction.value_or(1));
  }
  return text;
}

Result<WrapConfig> wrap_of_command_line(const ProbeArguments& arguments) {
  Result<ClientConfig> config =
      parse_client_profile(profile_around(arguments), "command line", {}, read_text_file);
  if (!config) return std::unexpected(config.error());
  if (config->wrap.mode == WrapMode::None) return std::move(config->wrap);
  Result<std::string> key = read_text_file(config->wrap.key.path);
  if (!key) return std::unexpected(key.error());
  config->wrap.key.text = std::move(*key);
  return std::move(config->wrap);
}

Result<ProbeSettings> settings_of_host(const ProbeArguments& arguments) {
  if (arguments.target.ends_with(".ovpn") || arguments.target.ends_with(".conf")) {
    return fail("there is no such profile", arguments.target,
                "name a profile that can be read, or a host");
  }
  Result<WrapConfig> wrap = wrap_of_command_line(arguments);
  if (!wrap) return std::unexpected(wrap.error());
  ProbeSettings settings{.wrap = std::move(*wrap)};
  settings.questions.push_back(
      {.host = arguments.target,
       .port = arguments.port.value_or(kPortDefault),
       .transport = arguments.tcp ? ProbeTransport::Tcp : ProbeTransport::Udp});
  return settings;
}

Result<ClientConfig> read_profile(const ProbeArguments& arguments) {
  const Result<std::string> text = read_text_file(arguments.target);
  if (!text) return std::unexpected(text.error());
  Result<ClientConfig> config = parse_client_profile(*text, arguments.target, {}, read_text_file);
  if (!config) return std::unexpected(config.error());
  if (auto entered = enter_working_directory(config->working_directory); !entered) {
    return std::unexpected(entered.error());
  }
  if (auto loaded = load_files(*config); !loaded) return std::unexpected(loaded.error());
  return config;
}

ProbeSettings settings_of_profile(const ClientConfig& config, const ProbeArguments& arguments) {
  ProbeSettings settings{.wrap = config.wrap};
  for (const RemoteConfig& remote : config.remotes) {
    settings.questions.push_back(
        {.host = remote.host,
         .port = arguments.port.value_or(remote.port),
         .transport = arguments.tcp || remote.is_tcp ? ProbeTransport::Tcp : ProbeTransport::Udp,
         .family = remote.family});
  }
  return settings;
}

/// The first address of each family that answers.
std::vector<Endpoint> one_of_each_family(const ProbeTarget& target) {
  std::vector<Endpoint> servers;
  for (const bool ipv4 : {true, false}) {
    const auto found = std::ranges::find_if(target.outcomes, [&](const ProbeOutcome& outcome) {
      return outcome.verdict == ProbeVerdict::Reachable && outcome.target.address.is_v4() == ipv4 &&
             outcome.transport == ProbeTransport::Udp;
    });
    if (found != target.outcomes.end()) servers.push_back(found->target);
  }
  return servers;
}

Result<ProbeReport> probe_by(ProbeSettings settings, const ProbeArguments& arguments) {
  settings.limit = std::chrono::seconds(arguments.limit_s);
  for (ProbeQuestion& question : settings.questions) {
    if (arguments.ipv4_only) question.family = LinkFamily::V4Only;
    if (arguments.ipv6_only) question.family = LinkFamily::V6Only;
  }
  return run_probe(settings);
}

Result<ProbeReport> probe(const ProbeArguments& arguments) {
  if (!is_file(arguments.target)) {
    if (arguments.path_mtu) {
      return fail("needs a profile that can log in", "--path-mtu", "name one in place of the host");
    }
    Result<ProbeSettings> settings = settings_of_host(arguments);
    if (!settings) return std::unexpected(settings.error());
    return probe_by(std::move(*settings), arguments);
  }
  const Result<ClientConfig> config = read_profile(arguments);
  if (!config) return std::unexpected(config.error());
  Result<ProbeReport> report = probe_by(settings_of_profile(*config, arguments), arguments);
  if (!report || !arguments.path_mtu) return report;
  for (ProbeTarget& target : report->targets) {
    auto paths = measure_paths(*config, one_of_each_family(target));
    if (!paths) return std::unexpected(paths.error());
    target.paths = std::move(*paths);
  }
  return report;
}

}  // namespace

void add_probe_options(CLI::App& command, ProbeArguments& arguments) {
  command
      .add_option("target", arguments.target, "A profile (.ovpn), or a server's name or address.")
      ->type_name("PROFILE.ovpn|HOST")
      ->required();
  command.add_option("port", arguments.port, "The server's port; 1194, or the profile's.")
      ->type_name("PORT")
      ->check(CLI::Range(1, 65535));
  auto* crypt =
      command.add_option("--tls-crypt", arguments.tls_crypt,
                         "The server's tls-crypt key; without it such a server is silent.");
  auto* auth = command.add_option("--tls-auth", arguments.tls_auth, "The server's tls-auth key.");
  crypt->type_name("FILE")->excludes(auth);
  auth->type_name("FILE");
  command
      .add_option("--key-direction", arguments.key_direction,
                  "Of the tls-auth key; 1 if not given.")
      ->type_name("0|1")
      ->check(CLI::Range(0, 1));
  command.add_option("--auth", arguments.auth, "Digest of the tls-auth key; SHA1 if not given.")
      ->type_name("DIGEST");
  command.add_flag("--tcp", arguments.tcp, "Ask over TCP.");
  auto* v4 = command.add_flag("-4", arguments.ipv4_only, "Ask IPv4 addresses only.");
  command.add_flag("-6", arguments.ipv6_only, "Ask IPv6 addresses only.")->excludes(v4);
  command.add_option("--timeout", arguments.limit_s, "How long to wait for each address; 5.")
      ->type_name("SECONDS")
      ->check(CLI::Range(1, 60));
  command.add_flag("--path-mtu", arguments.path_mtu,
                   "Log in by the profile, over each family, and measure the path MTU. Ends a "
                   "session of the same name, if the server allows one only.");
  command.add_flag("--json", arguments.json, "Print one JSON object.");
  command.footer(
      "Exit status: 0 when every address of the name answers, 2 when some do, 1 when none does,\n"
      "3 when the question was wrong.");
}

int run_probe_command(const ProbeArguments& arguments) {
  const Result<ProbeReport> report = probe(arguments);
  if (!report) {
    std::fputs(fmt::format("ringway: {}\n", report.error().to_string()).c_str(), stderr);
    return ProbeReport::kNotAsked;
  }
  std::fputs((arguments.json ? report->to_json() : report->to_text()).c_str(), stdout);
  return report->exit_status();
}

}  // namespace ringway

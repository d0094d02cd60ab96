#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <charconv>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/secret.h"
#include "control/aead_start.h"
#include "dataplane/admission/static_key.h"
#include "perf/src/loadgen/echo.h"
#include "perf/src/loadgen/phase.h"

namespace {

using namespace ringway;
using namespace ringway::loadgen;

struct Arguments {
  std::vector<std::string> servers;
  std::string ca, cert, key, tls_crypt, tls_auth, cipher = "AES-256-GCM", groups;
  std::vector<std::string> echoes;
  std::size_t clients = 1;
  std::vector<std::string> phases;
};

/// Two keys each way and a renegotiation's, as on a server.
constexpr std::size_t kSecretsPerClient = 32;
constexpr std::size_t kSchedulesPerClient = 18;

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail("cannot read the file", path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

/// "192.0.2.1:1194" or "[2001:db8::1]:1194".
Result<Endpoint> parse_endpoint(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return fail("no port", text, "write ADDRESS:PORT");
  std::string host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const std::optional<IpAddress> address = IpAddress::parse(host);
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data() + colon + 1, end, port);
  if (!address || error != std::errc{} || rest != end || port == 0) {
    return fail("no address and port", text);
  }
  return Endpoint{.address = *address, .port = port};
}

Result<TlsWrap> make_wrap(const Arguments& arguments) {
  const bool is_crypt = !arguments.tls_crypt.empty();
  const std::string& path = is_crypt ? arguments.tls_crypt : arguments.tls_auth;
  if (path.empty()) return TlsWrap();
  const Result<std::string> text = read_file(path);
  if (!text) return std::unexpected(text.error());
  const Result<StaticKey> key = StaticKey::parse(*text, path);
  if (!key) return std::unexpected(key.error());
  if (is_crypt) return TlsWrap(TlsCrypt(*key, Side::Client));
  return TlsWrap(TlsAuth(*key, 1, Digest::Sha1));
}

Result<TlsContext> make_tls(const Arguments& arguments) {
  TlsMaterial material{.groups = arguments.groups, .remote_cert_tls = true};
  const auto load = [](const std::string& path, std::string& pem,
                       std::string& where) -> Result<void> {
    Result<std::string> text = read_file(path);
    if (!text) return std::unexpected(text.error());
    pem = std::move(*text);
    where = path;
    return {};
  };
  if (auto ok = load(arguments.ca, material.ca_pem, material.ca_where); !ok)
    return std::unexpected(ok.error());
  if (auto ok = load(arguments.cert, material.cert_pem, material.cert_where); !ok)
    return std::unexpected(ok.error());
  if (auto ok = load(arguments.key, material.key_pem, material.key_where); !ok)
    return std::unexpected(ok.error());
  return TlsContext::make(Side::Client, material, wall_now());
}

Result<void> run_one(const std::string& line, LoadLoop& loop, const EchoAddresses& echo) {
  const Result<PhaseOrder> order = PhaseOrder::parse(line);
  if (!order) return std::unexpected(order.error());
  const Result<PhaseReport> report = run_phase(*order, loop, echo);
  if (!report) return std::unexpected(report.error());
  // At once: who gave the order waits for the line.
  std::cout << report->dump() << '\n' << std::flush;
  return {};
}

Result<void> run(const Arguments& arguments) {
  // Unlocked memory does for throw-away keys.
  static_cast<void>(SecretArena::reserve(
      {.slots = SecretArena::kDefaultSlots + kSecretsPerClient * arguments.clients,
       .key_schedules =
           SecretArena::kDefaultKeySchedules + kSchedulesPerClient * arguments.clients}));
  std::vector<Endpoint> servers;
  for (const std::string& text : arguments.servers) {
    const Result<Endpoint> server = parse_endpoint(text);
    if (!server) return std::unexpected(server.error());
    servers.push_back(*server);
  }
  EchoAddresses echo;
  for (const std::string& text : arguments.echoes) {
    const std::optional<IpAddress> address = IpAddress::parse(text);
    if (!address) return fail("no address", text);
    (address->is_v4() ? echo.v4 : echo.v6) = address;
  }
  const std::optional<DataCipher> cipher = parse_data_cipher(arguments.cipher);
  if (!cipher) return fail("no data cipher of this name", arguments.cipher);
  const Result<TlsContext> tls = make_tls(arguments);
  if (!tls) return std::unexpected(tls.error());
  const Result<TlsWrap> wrap = make_wrap(arguments);
  if (!wrap) return std::unexpected(wrap.error());
  const Result<AeadChoice> aead = choose_aead(std::nullopt, std::array{*cipher});
  if (!aead) return std::unexpected(aead.error());
  const AeadEngines engines(*aead);
  ClientSettings settings{.engines = &engines};
  // As OpenVPN 2.6, which it is compared with: packets have the short format.
  settings.channel.peer_info.set("IV_PROTO", "990");
  settings.channel.side = Side::Client;
  settings.data_ciphers = {*cipher};
  SystemRandom random;
  Result<LoadLoop> loop =
      LoadLoop::make({.parts = {.settings = settings, .wrap = *wrap, .tls = *tls, .random = random},
                      .servers = servers,
                      .client_count = arguments.clients});
  if (!loop) return std::unexpected(loop.error());

  for (const std::string& line : arguments.phases) {
    if (auto done = run_one(line, *loop, echo); !done) return done;
  }
  if (!arguments.phases.empty()) return {};
  for (std::string line; std::getline(std::cin, line);) {
    if (line.empty()) continue;
    if (auto done = run_one(line, *loop, echo); !done) return done;
  }
  return {};
}

int outcome(const Result<void>& result) {
  if (result) return 0;
  fmt::print(stderr, "ringway-loadgen: {}\n", result.error().to_string());
  return 1;
}

}  // namespace

// What CLI11 throws is caught below; want of memory may end the process.
// NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) {
  // To standard error: standard output is for the reports.
  log::open({.verb = 1});
  CLI::App app(
      "Plays thousands of OpenVPN clients in one process. Each PHASE is one line, `NAME key=value "
      "...`, and answers with one line of JSON; without any, phases are read from standard input.",
      "ringway-loadgen");
  Arguments arguments;
  app.add_option("PHASE", arguments.phases,
                 "connect, hold, traffic, float, renegotiate, reconnect or leave");
  auto* server =
      app.add_option("--server", arguments.servers, "ADDRESS:PORT; clients take several in turn");
  app.add_option("--clients", arguments.clients, "how many there are at most");
  app.add_option("--ca", arguments.ca);
  app.add_option("--cert", arguments.cert, "all clients show this one");
  app.add_option("--key", arguments.key);
  app.add_option("--tls-crypt", arguments.tls_crypt, "file of the static key");
  app.add_option("--tls-auth", arguments.tls_auth, "file of the static key, direction 1");
  app.add_option("--cipher", arguments.cipher, "of the data channel");
  app.add_option("--tls-groups", arguments.groups);
  app.add_option("--echo", arguments.echoes, "where `ringway-loadgen echo` runs, one a family");
  CLI::App* echo = app.add_subcommand("echo", "Answers the probes of `traffic` and `float`.");
  // CLI11 reports by exception, and this is the only place where one can occur.
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 1;
  }
  if (*echo) return outcome(run_echo());
  if (server->empty()) {
    fmt::print(stderr, "ringway-loadgen: which --server?\n");
    return 1;
  }
  return outcome(run(arguments));
}

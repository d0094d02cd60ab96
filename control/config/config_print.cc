#include <fmt/format.h>

#include <algorithm>

#include "control/config/config_lexer.h"
#include "control/config/config_parser.h"
#include "control/config/tunnel_addresses.h"

namespace ringway {
namespace {

/// Collects options, one a line.
class OptionPrinter {
 public:
  template <typename... Words>
  void option(std::string_view name, const Words&... words) {
    text_ += name;
    (append(fmt::format("{}", words)), ...);
    text_ += '\n';
  }
  void flag(std::string_view name, bool is_set) {
    if (is_set) option(name);
  }
  void text_option(std::string_view name, const std::string& value) {
    if (!value.empty()) option(name, value);
  }
  void seconds(std::string_view name, Duration time) { option(name, count(time)); }
  static std::int64_t count(Duration time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time).count();
  }
  void comment(std::string_view text) { text_ += fmt::format("# {}\n", text); }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  void append(std::string_view word) { text_ += ' ' + quote_config_word(word); }
  std::string text_;
};

void print_file(OptionPrinter& print, std::string_view name, const FileOrInline& file,
                std::string_view suffix = "") {
  if (!file.is_set()) return;
  // An inline block may be a private key, and what is printed ends up in mails and tickets.
  if (file.is_inline) {
    print.comment(fmt::format("{}: {} bytes inline, not shown", name, file.text.size()));
  } else if (suffix.empty()) {
    print.option(name, file.path);
  } else {
    print.option(name, file.path, suffix);
  }
}

std::string local_text(const ListenConfig& listen) {
  if (!listen.host.empty()) return listen.host;
  if (!listen.address) return "*";
  return listen.address->to_string() + (listen.scope.empty() ? "" : "%" + listen.scope);
}

std::string_view name_of(VerifyClientCert verify) {
  switch (verify) {
    case VerifyClientCert::Require: return "require";
    case VerifyClientCert::Optional: return "optional";
    case VerifyClientCert::None: break;
  }
  return "none";
}

std::string_view proto_of(const ListenConfig& listen) {
  switch (listen.family) {
    case LinkFamily::Both: return listen.is_tcp ? "tcp" : "udp";
    case LinkFamily::V4Only: return listen.is_tcp ? "tcp4" : "udp4";
    case LinkFamily::V6Only: return listen.is_tcp ? "tcp6" : "udp6";
  }
  return "udp";
}

void print_link(OptionPrinter& print, const ServerConfig& config) {
  // Without an address only `bind ipv6only` keeps IPv4 out, and it holds for all listeners.
  const bool is_ipv6_only = std::ranges::any_of(config.listen, [](const ListenConfig& listen) {
    return !listen.address && listen.host.empty() && listen.family == LinkFamily::V6Only;
  });
  for (const ListenConfig& listen : config.listen) {
    print.option("local", local_text(listen), listen.port, proto_of(listen));
  }
  if (is_ipv6_only) print.option("bind", "ipv6only");
  print.option("sndbuf", config.send_buffer);
  print.option("rcvbuf", config.receive_buffer);
  print.text_option("bind-dev", config.outside.device);
  if (config.outside.mark != 0) print.option("mark", config.outside.mark);
}

std::string hex_of(std::span<const std::uint8_t> bytes) {
  return fmt::format("{:02X}", fmt::join(bytes, ":"));
}

std::string_view word_of(PeerNameMatch match) {
  switch (match) {
    case PeerNameMatch::Subject: return "subject";
    case PeerNameMatch::CommonName: return "name";
    case PeerNameMatch::CommonNamePrefix: return "name-prefix";
  }
  return "";
}

void print_identity(OptionPrinter& print, const TlsConfig& tls) {
  const PeerRules& rules = tls.rules;
  if (tls.remote_cert_tls) print.option("remote-cert-tls", "client");
  if (rules.needs_key_usage) {
    std::string line = "remote-cert-ku";
    for (const std::uint16_t usage : rules.key_usages) line += fmt::format(" {:x}", usage);
    print.option(line);
  }
  print.text_option("remote-cert-eku", rules.extended_key_usage);
  if (!tls.peer_name.empty()) {
    print.option("verify-x509-name", tls.peer_name, word_of(tls.peer_name_match));
  }
  for (const CertificateDigest& digest : rules.fingerprints) {
    print.option("peer-fingerprint", hex_of(digest));
  }
  if (!rules.issuer_digest.empty()) {
    print.option("verify-hash", hex_of(rules.issuer_digest),
                 rules.issuer_digest.size() == 20 ? "SHA1" : "SHA256");
  }
  if (rules.name_fields.empty()) return;
  std::string line = "x509-username-field";
  for (const std::string& field : rules.name_fields) line += ' ' + quote_config_word(field);
  print.option(line);
}

void print_tls(OptionPrinter& print, const ServerConfig& config) {
  const TlsConfig& tls = config.tls;
  print_file(print, "ca", tls.ca);
  print_file(print, "cert", tls.cert);
  print_file(print, "key", tls.key);
  print_file(print, "askpass", tls.key_passphrase);
  print_file(print, "extra-certs", tls.extra_certs);
  print_file(print, "capath", tls.ca_directory);
  if (tls.dh.is_set()) {
    print_file(print, "dh", tls.dh);
  } else {
    print.option("dh", "none");
  }
  print_file(print, "crl-verify", tls.crl, tls.crl_is_directory ? "dir" : "");
  print.option("tls-version-min", tls.version_min);
  print.text_option("tls-groups", tls.groups);
  print.text_option("tls-cipher", tls.cipher_list);
  print.text_option("tls-ciphersuites", tls.ciphersuites);
  print.option("tls-cert-profile", tls.cert_profile);
  print.option("verify-client-cert", name_of(tls.verify_client_cert));
  print_identity(print, tls);

  const WrapConfig& wrap = config.wrap;
  if (wrap.mode == WrapMode::TlsCrypt) print_file(print, "tls-crypt", wrap.key);
  if (wrap.mode == WrapMode::TlsAuth) print_file(print, "tls-auth", wrap.key);
  if (wrap.mode == WrapMode::TlsAuth && wrap.direction) {
    print.option("key-direction", *wrap.direction);
  }
  if (wrap.v2_key.is_set()) {
    print_file(print, "tls-crypt-v2", wrap.v2_key,
               wrap.v2_force_cookie ? "force-cookie" : "allow-noncookie");
  }
  if (wrap.v2_age_max > Duration{0}) print.option("tls-crypt-v2-max-age", wrap.v2_age_max / 24h);
  print.option("auth", name_of(wrap.auth));
  std::string ciphers;
  for (const DataCipher cipher : config.data_ciphers) {
    if (!ciphers.empty()) ciphers += ':';
    ciphers += name_of(cipher);
  }
  print.option("data-ciphers", ciphers);
  print.option("aead-engine", config.aead_engine ? name_of(*config.aead_engine) : "auto");
}

/// Of the network that begins or goes on at the first address and ends with the last.
unsigned length_of(const AddressRange& range) {
  for (unsigned length = 0; length < 128; ++length) {
    const auto network = Prefix::parse(fmt::format("{}/{}", range.first.to_string(), length), true);
    if (network && last_address(*network) == range.last) return length;
  }
  return 128;
}

void print_addresses(OptionPrinter& print, const TunnelConfig& tunnel) {
  if (tunnel.address_v4 || tunnel.address_v6) print.option("mode", "server");
  if (tunnel.network_v4) {
    const Prefix& network = *tunnel.network_v4;
    if (tunnel.address_v4) {
      print.option("ifconfig", tunnel.address_v4->to_string(), network.netmask_text());
    } else if (tunnel.pool_v4 && !tunnel.range_v4) {
      print.option("server", network.address.to_string(), network.netmask_text());
    } else {
      print.option("server", network.address.to_string(), network.netmask_text(), "nopool");
    }
  }
  if (tunnel.range_v4) {
    print.option("ifconfig-pool", tunnel.range_v4->first.to_string(),
                 tunnel.range_v4->last.to_string());
  }
  if (tunnel.network_v6 && tunnel.address_v6) {
    const unsigned length = tunnel.network_v6->length;
    print.option("ifconfig-ipv6", fmt::format("{}/{}", tunnel.address_v6->to_string(), length));
  } else if (tunnel.network_v6) {
    print.option("server-ipv6", tunnel.network_v6->to_string());
  }
  if (tunnel.range_v6) {
    print.option("ifconfig-ipv6-pool", fmt::format("{}/{}", tunnel.range_v6->first.to_string(),
                                                   length_of(*tunnel.range_v6)));
  }
}

void print_tunnel(OptionPrinter& print, const TunnelConfig& tunnel) {
  print.option("dev", tunnel.device);
  if (!tunnel.device.starts_with("tun")) print.option("dev-type", "tun");
  print_addresses(print, tunnel);
  print.option("topology", "subnet");
  print.option("tun-mtu", tunnel.mtu);
  switch (tunnel.mssfix.mode) {
    case MssFix::Mode::Path: print.option("mssfix"); break;
    case MssFix::Mode::Payload: print.option("mssfix", tunnel.mssfix.value); break;
    case MssFix::Mode::Mtu: print.option("mssfix", tunnel.mssfix.value, "mtu"); break;
    case MssFix::Mode::Fixed: print.option("mssfix", tunnel.mssfix.value, "fixed"); break;
  }
  print.option("txqueuelen", tunnel.txqueuelen);
  print.flag("passtos", tunnel.passtos);
  for (const Prefix& route : tunnel.routes) {
    if (route.address.is_v4()) {
      print.option("route", route.address.to_string(), route.netmask_text());
    } else {
      print.option("route-ipv6", route.to_string());
    }
  }
}

void print_rate(OptionPrinter& print, std::string_view name, const RateLimit& rate) {
  if (rate.count == 0) return;
  print.option(name, rate.count, OptionPrinter::count(rate.period));
}

void print_tokens(OptionPrinter& print, const TokenConfig& tokens) {
  if (!tokens.enabled) return;
  const auto lifetime = OptionPrinter::count(tokens.lifetime);
  const auto renewal = OptionPrinter::count(tokens.renewal);
  if (tokens.external) {
    print.option("auth-gen-token", lifetime, renewal, "external-auth");
  } else {
    print.option("auth-gen-token", lifetime, renewal);
  }
  print_file(print, "auth-gen-token-secret", tokens.secret);
}

void print_clients(OptionPrinter& print, const ServerConfig& config) {
  for (const std::string& option : config.push) print.option("push", option);
  if (!config.pool_persist_file.empty()) {
    print.option("ifconfig-pool-persist", config.pool_persist_file,
                 OptionPrinter::count(config.pool_persist_interval));
  }
  print.text_option("client-config-dir", config.client_config_directory);
  print.flag("ccd-exclusive", config.client_config_exclusive);
  print.option("max-routes-per-client", config.routes_per_client_max);
  print_tokens(print, config.tokens);
  print.option("max-clients", config.clients_max);
  print.flag("force-tls-key-material-export", config.force_tls_key_export);
  print.flag("duplicate-cn", config.duplicate_cn);
  print.flag("client-to-client", config.client_to_client);
  print.option("explicit-exit-notify", config.explicit_exit_notify);
  print_rate(print, "connect-freq-initial", config.connect_freq_initial);
  print_rate(print, "connect-freq", config.connect_freq);
  print.option("connect-freq-source", config.connect_freq_source.count,
               OptionPrinter::count(config.connect_freq_source.period));
  for (const Prefix& shared : config.connect_freq_shared) {
    print.option("connect-freq-shared", shared.to_string());
  }
}

/// As one word of the line, which is split again.
void print_program(OptionPrinter& print, std::string_view option, const ProgramLine& program,
                   std::string_view method = "") {
  if (!program.is_set()) return;
  std::string words;
  for (const std::string& word : program.words) {
    if (!words.empty()) words += ' ';
    words += quote_config_word(word);
  }
  if (method.empty()) {
    print.option(option, words);
  } else {
    print.option(option, words, method);
  }
}

void print_programs(OptionPrinter& print, const ProgramConfig& programs) {
  print.option("script-security", programs.security);
  print_program(print, "tls-crypt-v2-verify", programs.client_key);
  print_program(print, "tls-verify", programs.certificate);
  print_program(print, "auth-user-pass-verify", programs.password,
                programs.password_by_file ? "via-file" : "via-env");
  print.flag("auth-user-pass-optional", programs.password_optional);
  print.flag("username-as-common-name", programs.username_as_common_name);
  print_program(print, "client-connect", programs.connect);
  print_program(print, "client-disconnect", programs.disconnect);
  print_program(print, "client-crresponse", programs.challenge);
  print_program(print, "learn-address", programs.learn);
  print_program(print, "up", programs.up);
  print_program(print, "route-up", programs.route_up);
  print_program(print, "down", programs.down);
  // A second word behind `setenv opt` would be an option.
  for (const auto& [name, value] : programs.variables) {
    value.empty() ? print.option("setenv", name) : print.option("setenv", name, value);
  }
  print.text_option("tmp-dir", programs.directory);
}

void print_timers(OptionPrinter& print, const TimerConfig& timers) {
  print.seconds("ping", timers.ping);
  print.seconds("ping-restart", timers.ping_restart);
  if (timers.renegotiate_min > Duration{0}) {
    print.option("reneg-sec", OptionPrinter::count(timers.renegotiate),
                 OptionPrinter::count(timers.renegotiate_min));
  } else {
    print.seconds("reneg-sec", timers.renegotiate);
  }
  print.option("reneg-bytes", timers.renegotiate_bytes);
  print.option("reneg-pkts", timers.renegotiate_packets);
  print.option("inactive", OptionPrinter::count(timers.inactive.time), timers.inactive.bytes);
  print.seconds("session-timeout", timers.session_timeout);
  print.seconds("hand-window", timers.hand_window);
  print.seconds("tran-window", timers.tran_window);
  print.seconds("tls-timeout", timers.tls_timeout);
}

std::string words_of_pinning(const WorkerConfig& workers) {
  switch (workers.pinning) {
    case WorkerConfig::Pinning::Auto: return "auto";
    case WorkerConfig::Pinning::Off: return "off";
    case WorkerConfig::Pinning::Listed: break;
  }
  return fmt::format("{}", fmt::join(workers.cores, ","));
}

std::int64_t microseconds(Duration time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
}

void print_workers(OptionPrinter& print, const WorkerConfig& workers) {
  print.option("workers", workers.count);
  print.option("worker-cores", words_of_pinning(workers));
  print.flag("no-gso", !workers.gso);
  print.flag("no-gro", !workers.gro);
  print.flag("no-tso", !workers.tso);
  print.flag("no-uso", !workers.uso);
  if (workers.like_6_1) print.option("kernel-profile", "6.1");
  print.option("batch-delay-us", microseconds(workers.batch_delay));
  print.option("busy-poll-us", microseconds(workers.busy_poll));
}

void print_process(OptionPrinter& print, const ServerConfig& config) {
  if (!config.status_file.empty()) {
    print.option("status", config.status_file, OptionPrinter::count(config.status_interval));
  }
  print.option("status-version", config.status_version);
  print.text_option(config.log_append ? "log-append" : "log", config.log_file);
  print.option("verb", config.verb);
  print.text_option("writepid", config.write_pid_file);
  print.text_option("user", config.user);
  print.text_option("group", config.group);
  if (config.seccomp != SeccompMode::Kill) {
    print.option("seccomp", config.seccomp == SeccompMode::Log ? "log" : "off");
  }
  print.text_option("cd", config.working_directory);
}

}  // namespace

std::string print_config(const ServerConfig& config) {
  OptionPrinter print;
  print_link(print, config);
  print_tls(print, config);
  print_tunnel(print, config.tunnel);
  print_clients(print, config);
  print_programs(print, config.programs);
  print_timers(print, config.timers);
  print_workers(print, config.workers);
  print_process(print, config);
  for (const std::string& note : config.notes) print.comment(note);
  return print.take();
}

}  // namespace ringway

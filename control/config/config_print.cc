#include <fmt/format.h>

#include <algorithm>

#include "control/config/config_lexer.h"
#include "control/config/config_parser.h"

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

std::string_view proto_of(const ListenConfig& listen) {
  switch (listen.family) {
    case LinkFamily::Both: return "udp";
    case LinkFamily::V4Only: return "udp4";
    case LinkFamily::V6Only: return "udp6";
  }
  return "udp";
}

void print_link(OptionPrinter& print, const ServerConfig& config) {
  // Without an address only `bind ipv6only` keeps IPv4 out, and it holds for all listeners.
  const bool is_ipv6_only = std::ranges::any_of(config.listen, [](const ListenConfig& listen) {
    return !listen.address && listen.family == LinkFamily::V6Only;
  });
  for (const ListenConfig& listen : config.listen) {
    print.option("local", listen.address ? listen.address->to_string() : "*", listen.port,
                 proto_of(listen));
  }
  if (is_ipv6_only) print.option("bind", "ipv6only");
  print.option("sndbuf", config.send_buffer);
  print.option("rcvbuf", config.receive_buffer);
}

std::string_view name_of(Digest digest) {
  switch (digest) {
    case Digest::Sha1: return "SHA1";
    case Digest::Sha224: return "SHA224";
    case Digest::Sha256: return "SHA256";
    case Digest::Sha384: return "SHA384";
    case Digest::Sha512: return "SHA512";
  }
  return "";
}

void print_tls(OptionPrinter& print, const ServerConfig& config) {
  const TlsConfig& tls = config.tls;
  print_file(print, "ca", tls.ca);
  print_file(print, "cert", tls.cert);
  print_file(print, "key", tls.key);
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
  print.option("verify-client-cert", "require");
  if (tls.remote_cert_tls) print.option("remote-cert-tls", "client");

  const WrapConfig& wrap = config.wrap;
  if (wrap.mode == WrapMode::TlsCrypt) print_file(print, "tls-crypt", wrap.key);
  if (wrap.mode == WrapMode::TlsAuth) print_file(print, "tls-auth", wrap.key);
  if (wrap.mode == WrapMode::TlsAuth && wrap.direction) {
    print.option("key-direction", *wrap.direction);
  }
  print.option("auth", name_of(wrap.auth));
  std::string ciphers;
  for (const DataCipher cipher : config.data_ciphers) {
    if (!ciphers.empty()) ciphers += ':';
    ciphers += name_of(cipher);
  }
  print.option("data-ciphers", ciphers);
}

void print_tunnel(OptionPrinter& print, const TunnelConfig& tunnel) {
  print.option("dev", tunnel.device);
  if (!tunnel.device.starts_with("tun")) print.option("dev-type", "tun");
  if (tunnel.network_v4) {
    const Prefix& network = *tunnel.network_v4;
    if (tunnel.pool) {
      print.option("server", network.address.to_string(), network.netmask_text());
    } else {
      print.option("server", network.address.to_string(), network.netmask_text(), "nopool");
    }
  }
  if (tunnel.network_v6) print.option("server-ipv6", tunnel.network_v6->to_string());
  print.option("topology", "subnet");
  print.option("tun-mtu", tunnel.mtu);
  switch (tunnel.mssfix.mode) {
    case TunnelConfig::MssFix::Mode::Payload: print.option("mssfix", tunnel.mssfix.value); break;
    case TunnelConfig::MssFix::Mode::Mtu: print.option("mssfix", tunnel.mssfix.value, "mtu"); break;
    case TunnelConfig::MssFix::Mode::Fixed:
      print.option("mssfix", tunnel.mssfix.value, "fixed");
      break;
  }
  print.option("txqueuelen", tunnel.txqueuelen);
  for (const Prefix& route : tunnel.routes) {
    if (route.address.is_v4()) {
      print.option("route", route.address.to_string(), route.netmask_text());
    } else {
      print.option("route-ipv6", route.to_string());
    }
  }
}

void print_clients(OptionPrinter& print, const ServerConfig& config) {
  for (const std::string& option : config.push) print.option("push", option);
  if (!config.pool_persist_file.empty()) {
    print.option("ifconfig-pool-persist", config.pool_persist_file,
                 OptionPrinter::count(config.pool_persist_interval));
  }
  print.option("max-clients", config.clients_max);
  print.flag("duplicate-cn", config.duplicate_cn);
  print.flag("client-to-client", config.client_to_client);
  print.option("explicit-exit-notify", config.explicit_exit_notify);
  if (config.connect_freq_initial_count > 0) {
    print.option("connect-freq-initial", config.connect_freq_initial_count,
                 OptionPrinter::count(config.connect_freq_initial_period));
  }
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
  print.text_option("cd", config.working_directory);
}

}  // namespace

std::string print_config(const ServerConfig& config) {
  OptionPrinter print;
  print_link(print, config);
  print_tls(print, config);
  print_tunnel(print, config.tunnel);
  print_clients(print, config);
  print_timers(print, config.timers);
  print_workers(print, config.workers);
  print_process(print, config);
  for (const std::string& note : config.notes) print.comment(note);
  return print.take();
}

}  // namespace ringway

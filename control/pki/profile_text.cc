#include "control/pki/profile_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/address.h"
#include "control/channel/certificate_report.h"
#include "control/config/config_lexer.h"

namespace ringway {
namespace {

/// Collects a profile, a line or a block at a time.
class ProfileWriter {
 public:
  template <typename... Arguments>
  void line(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Arguments>(arguments)...);
    text_ += '\n';
  }
  void block(std::string_view name, std::string_view content) {
    text_ +=
        fmt::format("<{0}>\n{1}{2}</{0}>\n", name, content, content.ends_with('\n') ? "" : "\n");
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

bool serves(const ListenConfig& listen, bool v6) {
  if (listen.family == LinkFamily::Both) return true;
  return v6 == (listen.family == LinkFamily::V6Only);
}

/// A literal address is of one family; a name may have both.
bool may_be(const std::string& host, bool v6) {
  const auto address = IpAddress::parse(host);
  return !address || address->is_v4() != v6;
}

/// Each port once for each family, however many addresses it is served on.
std::vector<std::string> remotes_of(const ServerConfig& config,
                                    const std::vector<std::string>& hosts) {
  std::vector<std::string> lines;
  for (const bool is_tcp : {false, true}) {
    for (const bool v6 : {true, false}) {
      for (const std::string& host : hosts) {
        if (!may_be(host, v6)) continue;
        for (const ListenConfig& listen : config.listen) {
          if (listen.is_tcp != is_tcp || !serves(listen, v6)) continue;
          std::string line =
              fmt::format("remote {} {} {}{}{}", quote_config_word(host), listen.port,
                          is_tcp ? "tcp" : "udp", v6 ? 6 : 4, is_tcp ? "-client" : "");
          if (std::ranges::find(lines, line) == lines.end()) lines.push_back(std::move(line));
        }
      }
    }
  }
  return lines;
}

void write_ciphers(ProfileWriter& write, const ServerConfig& config) {
  // What clients offer by themselves since 2.4 is among the default's; only a list that may lack
  // it is worth a line, and before 2.5 the option has another name.
  if (config.data_ciphers == ServerConfig{}.data_ciphers) return;
  std::string list;
  for (const DataCipher cipher : config.data_ciphers) {
    list += fmt::format("{}{}", list.empty() ? "" : ":", name_of(cipher));
  }
  write.line("ignore-unknown-option data-ciphers");
  write.line("data-ciphers {}", list);
}

void write_wrap(ProfileWriter& write, const WrapConfig& wrap, const ProfileOwner& owner) {
  if (!owner.v2_key_pem.empty()) return write.block("tls-crypt-v2", owner.v2_key_pem);
  if (wrap.mode == WrapMode::TlsCrypt) return write.block("tls-crypt", wrap.key.text);
  if (wrap.mode != WrapMode::TlsAuth) return;
  if (wrap.direction) write.line("key-direction {}", 1 - *wrap.direction);
  write.block("tls-auth", wrap.key.text);
}

}  // namespace

std::string pem_blocks(std::string_view text) {
  constexpr std::string_view kBegin = "-----BEGIN ";
  constexpr std::string_view kEnd = "-----END ";
  std::string blocks;
  for (;;) {
    const std::size_t begin = text.find(kBegin);
    const std::size_t end = begin == text.npos ? begin : text.find(kEnd, begin);
    if (end == text.npos) return blocks;
    const std::size_t line_end = std::min(text.find('\n', end), text.size());
    blocks += text.substr(begin, line_end - begin);
    blocks += '\n';
    text.remove_prefix(line_end);
  }
}

std::string host_of_certificate(const ServerConfig& config) {
  const auto reports = report_certificates(config.tls.cert.text, config.tls.cert.where);
  if (!reports) return {};
  const std::string& name = reports->front().common_name;
  const bool is_host = name.find('.') != name.npos && name.find_first_of(" @_*/") == name.npos;
  return is_host || IpAddress::parse(name) ? name : std::string();
}

Result<std::string> profile_text(const ServerConfig& config, const std::vector<std::string>& hosts,
                                 const ProfileOwner& owner) {
  const std::string authorities = pem_blocks(config.tls.ca.text);
  if (authorities.empty()) {
    return fail("there is no `ca`, by which a client could tell this server from another",
                config.source, "write `ca FILE` with the authority that signed `cert`");
  }
  const auto server = report_certificates(config.tls.cert.text, config.tls.cert.where);
  if (!server) return std::unexpected(server.error());
  const std::vector<std::string> remotes = remotes_of(config, hosts);
  if (remotes.empty()) {
    return fail("no address of the server is of a family that it serves", config.source,
                "name another one with --remote");
  }

  ProfileWriter write;
  write.line("# {}, for {}", owner.name, hosts.front());
  write.line("client");
  write.line("dev tun");
  for (const std::string& remote : remotes) write.line("{}", remote);
  if (remotes.size() > 1) write.line("server-poll-timeout 10");
  write.line("nobind");
  write.line("persist-tun");
  write.line("verb 3");
  if (config.tunnel.mtu != 1500) write.line("tun-mtu {}", config.tunnel.mtu);
  // With TCP among its servers, OpenVPN refuses the option.
  const bool has_tcp = std::ranges::any_of(config.listen, &ListenConfig::is_tcp);
  if (!has_tcp) write.line("explicit-exit-notify 1");
  if (server->front().may_serve) write.line("remote-cert-tls server");
  if (!server->front().common_name.empty()) {
    write.line("verify-x509-name {} name", quote_config_word(server->front().common_name));
  }
  if (config.tls.version_min != "1.2") write.line("tls-version-min {}", config.tls.version_min);
  if (config.wrap.auth != Digest::Sha1) write.line("auth {}", name_of(config.wrap.auth));
  write_ciphers(write, config);
  write.block("ca", authorities);
  if (!owner.cert_pem.empty()) {
    write.block("cert", pem_blocks(owner.cert_pem));
    write.block("key", pem_blocks(owner.key_pem));
  }
  write_wrap(write, config.wrap, owner);
  return write.take();
}

}  // namespace ringway

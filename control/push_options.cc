#include "control/push_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "control/channel/cipher_negotiation.h"
#include "control/channel/options_string.h"
#include "control/config/tunnel_addresses.h"

namespace ringway {

namespace {

constexpr std::string_view kTopology = "topology subnet";

/// `push-remove ifconfig` keeps the client's addresses to ourselves.
bool is_removed(const ClientTerms& terms, std::string_view option) {
  return std::ranges::any_of(terms.push, [&](const PushEdit& edit) {
    return edit.kind == PushEdit::Kind::Remove && edit.text == option;
  });
}

/// The network of a pushed route, where it is written by numbers.
std::optional<Prefix> network_of(const std::string& option) {
  std::istringstream words(option);
  std::string name;
  std::string network;
  std::string mask = "255.255.255.255";
  words >> name >> network;
  if (name == "route-ipv6") return Prefix::parse(network, true);
  if (name != "route") return std::nullopt;
  words >> mask;
  return Prefix::parse_v4(network, mask);
}

/// A client that was told so would lead the network behind it to us.
bool is_behind(const ClientTerms& terms, const std::string& option) {
  const std::optional<Prefix> network = network_of(option);
  return network &&
         std::ranges::find(terms.routes, *network, &ClientRoute::network) != terms.routes.end();
}

std::vector<std::string> edited(std::vector<std::string> options, const ClientTerms& terms) {
  for (const PushEdit& edit : terms.push) {
    switch (edit.kind) {
      case PushEdit::Kind::Add: options.push_back(edit.text); break;
      case PushEdit::Kind::Reset: options.clear(); break;
      case PushEdit::Kind::Remove:
        std::erase_if(options,
                      [&](const std::string& option) { return option.starts_with(edit.text); });
        break;
    }
  }
  if (!terms.routes.empty()) {
    std::erase_if(options, [&](const std::string& option) { return is_behind(terms, option); });
  }
  return options;
}

void add_v6_address(const TunnelConfig& tunnel, const PushSubject& subject, PushReply& reply) {
  const std::optional<FixedAddressV6>& fixed = subject.terms.v6;
  if (!subject.lease.v6 || !tunnel.network_v6) return;
  if (is_removed(subject.terms, "ifconfig-ipv6")) return;
  const unsigned length = fixed && fixed->length ? *fixed->length : tunnel.network_v6->length;
  const IpAddress remote = fixed && fixed->remote ? *fixed->remote : *own_address_v6(tunnel);
  reply.options.push_back(fmt::format("ifconfig-ipv6 {}/{} {}", subject.lease.v6->to_string(),
                                      length, remote.to_string()));
}

void add_v4_address(const TunnelConfig& tunnel, const PushSubject& subject, PushReply& reply) {
  const std::optional<FixedAddressV4>& fixed = subject.terms.v4;
  if (!subject.lease.v4 || !tunnel.network_v4) return;
  if (is_removed(subject.terms, "ifconfig")) return;
  // Without it the netmask would be read as the address of a peer.
  if (!subject.terms.push.empty() &&
      std::ranges::find(reply.options, kTopology) == reply.options.end()) {
    reply.options.emplace_back(kTopology);
  }
  const IpAddress address = fixed && fixed->alias ? *fixed->alias : *subject.lease.v4;
  const std::string netmask =
      fixed && fixed->netmask ? fixed->netmask->to_string() : tunnel.network_v4->netmask_text();
  reply.options.push_back(fmt::format("ifconfig {} {}", address.to_string(), netmask));
}

void add_key_derivation(const PushSubject& subject, PushReply& reply) {
  std::string flags;
  if (subject.peer_info.has(ProtoBit::ExitNotify)) flags += " cc-exit";
  const bool has_flags =
      !flags.empty() || subject.admission.dynamic_tls_crypt || subject.admission.data_epochs;
  if (has_flags && subject.admission.tls_key_export) flags += " tls-ekm";
  if (subject.admission.dynamic_tls_crypt) flags += " dyn-tls-crypt";
  if (subject.admission.data_epochs) flags += " aead-epoch";
  if (has_flags) {
    reply.options.push_back("protocol-flags" + flags);
  } else if (subject.admission.tls_key_export) {
    reply.options.push_back("key-derivation tls-ekm");
  }
}

/// A framing that changes no IP packet: the client gives up the one of its profile.
void add_stub(PushReply& reply) {
  constexpr std::string_view kStub = "compress stub-v2";
  if (std::ranges::find(reply.options, kStub) == reply.options.end()) {
    reply.options.emplace_back(kStub);
  }
}

}  // namespace

std::string server_options_string(const ServerConfig& config, bool is_tcp) {
  return OptionsString{.side = Side::Server,
                       .tun_mtu = config.tunnel.mtu,
                       .is_tcp = is_tcp,
                       .auth = config.wrap.auth,
                       .tls_auth = config.wrap.mode == WrapMode::TlsAuth}
      .to_string();
}

PushReply assemble_push_reply(const TunnelConfig& tunnel, const std::vector<std::string>& pushes,
                              const PushSubject& subject) {
  PushReply reply{.options = edited(pushes, subject.terms)};
  add_v6_address(tunnel, subject, reply);
  add_v4_address(tunnel, subject, reply);
  if (subject.peer_info.has(ProtoBit::DataV2)) {
    reply.options.push_back(fmt::format("peer-id {}", subject.peer_id.value));
  }
  if (takes_pushed_cipher(subject.peer_info)) {
    reply.options.push_back(fmt::format("cipher {}", name_of(subject.admission.cipher)));
  }
  add_key_derivation(subject, reply);
  if (subject.peer_info.find("IV_MTU")) {
    reply.options.push_back(fmt::format("tun-mtu {}", tunnel.mtu));
  }
  if (subject.admission.ends_compression) add_stub(reply);
  // Ringway's own, for its own clients: this server takes the marks of routers, too.
  if (takes_outer_ecn(subject.peer_info)) reply.options.emplace_back("ecn");
  return reply;
}

}  // namespace ringway

#include "control/push_options.h"

#include <fmt/format.h>

#include "control/channel/cipher_negotiation.h"
#include "control/channel/options_string.h"

namespace ringway {

namespace {

void add_addresses(const ServerConfig& config, const Lease& lease, PushReply& reply) {
  const TunnelConfig& tunnel = config.tunnel;
  if (lease.v6 && tunnel.network_v6) {
    reply.options.push_back(fmt::format("ifconfig-ipv6 {}/{} {}", lease.v6->to_string(),
                                        tunnel.network_v6->length,
                                        tunnel.network_v6->address.plus(1).to_string()));
  }
  if (lease.v4 && tunnel.network_v4) {
    reply.options.push_back(
        fmt::format("ifconfig {} {}", lease.v4->to_string(), tunnel.network_v4->netmask_text()));
  }
}

void add_key_derivation(const PushSubject& subject, PushReply& reply) {
  const bool key_export = subject.admission.tls_key_export;
  if (subject.peer_info.has(ProtoBit::ExitNotify)) {
    reply.options.push_back(key_export ? "protocol-flags cc-exit tls-ekm"
                                       : "protocol-flags cc-exit");
  } else if (key_export) {
    reply.options.push_back("key-derivation tls-ekm");
  }
}

}  // namespace

std::string server_options_string(const ServerConfig& config) {
  return OptionsString{.side = Side::Server,
                       .tun_mtu = config.tunnel.mtu,
                       .auth = config.wrap.auth,
                       .tls_auth = config.wrap.mode == WrapMode::TlsAuth}
      .to_string();
}

PushReply assemble_push_reply(const ServerConfig& config, const PushSubject& subject) {
  PushReply reply{.options = config.push};
  add_addresses(config, subject.lease, reply);
  if (subject.peer_info.has(ProtoBit::DataV2)) {
    reply.options.push_back(fmt::format("peer-id {}", subject.peer_id.value));
  }
  if (takes_pushed_cipher(subject.peer_info)) {
    reply.options.push_back(fmt::format("cipher {}", name_of(subject.admission.cipher)));
  }
  add_key_derivation(subject, reply);
  if (subject.peer_info.find("IV_MTU")) {
    reply.options.push_back(fmt::format("tun-mtu {}", config.tunnel.mtu));
  }
  return reply;
}

}  // namespace ringway

#pragma once

#include <string>
#include <utility>

#include "base/check.h"
#include "control/channel/control_channel.h"
#include "control/channel/tls_context.h"
#include "dataplane/admission/tls_wrap.h"
#include "tests/support/certificates.h"

/// TLS material and settings of a server and a client that can talk to each other.
namespace ringway::test {

inline TlsMaterial server_material() {
  TlsMaterial material;
  material.ca_pem = kCaPem;
  material.ca_where = "ca ca.crt";
  material.cert_pem = kServerCertPem;
  material.cert_where = "cert server.crt";
  material.key_pem = kServerKeyPem;
  material.key_where = "key server.key";
  material.crl_where = "crl-verify crl.pem";
  return material;
}

inline TlsMaterial client_material() {
  TlsMaterial material = server_material();
  material.cert_pem = kClientCertPem;
  material.key_pem = kClientKeyPem;
  return material;
}

/// 2026-01-01, when every golden certificate is valid.
inline constexpr UnixTime kTestDay{1'767'225'600};

inline TlsContext make_context(Side side, const TlsMaterial& material) {
  auto context = TlsContext::make(side, material, kTestDay);
  RW_ASSERT(context.has_value());
  return std::move(*context);
}

/// What a test may change before it makes a ChannelPair.
struct ChannelPairSetup {
  TlsWrap server_wrap;
  TlsWrap client_wrap;
  TlsMaterial server_tls = server_material();
  TlsMaterial client_tls = client_material();
  ChannelSettings server;
  ChannelSettings client;
  Admission admission;
  PushReply push{.options = {"topology subnet", "ifconfig 10.8.0.2 255.255.255.0"}};
  /// The server admits who asks, and pushes when it can.
  bool admits = true;
  std::uint64_t seed = 1;
  Duration delay = 10ms;
  Duration jitter{0};
  double loss = 0;
  double duplication = 0;

  ChannelPairSetup() {
    server.side = Side::Server;
    server.options =
        "V4,dev-type tun,link-mtu 1541,tun-mtu 1500,proto UDPv4,auth SHA1,keysize 128,"
        "key-method 2,tls-server";
    client.side = Side::Client;
    client.options =
        "V4,dev-type tun,link-mtu 1541,tun-mtu 1500,proto UDPv4,auth SHA1,keysize 128,"
        "key-method 2,tls-client";
    client.peer_info.set("IV_VER", "2.6.14");
    client.peer_info.set("IV_PROTO", "990");
    client.peer_info.set("IV_CIPHERS", "AES-256-GCM:AES-128-GCM");
  }
};

}  // namespace ringway::test

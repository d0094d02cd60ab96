#include <array>

#include "control/config/option_table.h"

/// Options of clients, of other systems, and commands of OpenVPN that are no server.
namespace ringway {
namespace {

constexpr std::string_view kClient = "belongs in a client's configuration, and this is a server";
constexpr std::string_view kDelete = "delete the line, or run `ringway client PROFILE.ovpn`";
constexpr std::string_view kProxy = "leads a client through a proxy, and this is a server";
constexpr std::string_view kPushed = "is what a server tells each client, and Ringway does";
constexpr std::string_view kToClients = "is for clients";
constexpr std::string_view kWindows = "is for Windows";
constexpr std::string_view kDeleteOnly = "delete the line";
constexpr std::string_view kCommand = "is a command of OpenVPN and configures no server";
constexpr std::string_view kUseOpenVpn = "run it with openvpn or openssl in the shell";

constexpr std::array kRows = {
    refused("client", kClient, kDelete),
    refused("tls-client", kClient, kDelete),
    refused("pull", kClient, kDelete),
    refused("pull-filter", kClient, kDelete),
    refused("remote", kClient, kDelete),
    refused("connection", kClient, kDelete),
    refused("remote-random", kClient, kDelete),
    refused("remote-random-hostname", kClient, kDelete),
    refused("rport", kClient, "write `port N`"),
    refused("proto-force", kClient, "write `proto udp`"),
    refused("resolv-retry", kClient, kDelete),
    refused("connect-retry", kClient, kDelete),
    refused("connect-retry-max", kClient, kDelete),
    refused("connect-timeout", kClient, kDelete),
    refused("server-poll-timeout", kClient, kDelete),
    refused("auth-user-pass", kClient, kDelete),
    refused("auth-retry", kClient, kDelete),
    refused("auth-nocache", kClient, kDelete),
    refused("auth-token", kClient, kDelete),
    refused("auth-token-user", kClient, kDelete),
    refused("static-challenge", kClient, kDelete),
    refused("route-nopull", kClient, kDelete),
    refused("allow-pull-fqdn", kClient, kDelete),
    refused("allow-recursive-routing", kClient, kDelete),
    refused("mtu-test", kClient, kDelete),
    refused("compat-mode", "is not served: one set of rules serves the clients of every version",
            kDeleteOnly),
    refused("http-proxy", kProxy, kDeleteOnly),
    refused("http-proxy-option", kProxy, kDeleteOnly),
    refused("http-proxy-user-pass", kProxy, kDeleteOnly),
    refused("http-proxy-retry", kProxy, kDeleteOnly),
    refused("http-proxy-timeout", kProxy, kDeleteOnly),
    refused("socks-proxy", kProxy, kDeleteOnly),
    refused("socks-proxy-retry", kProxy, kDeleteOnly),
    refused("http-proxy-override", kProxy, kDeleteOnly),
    refused("max-routes", kClient, kDelete),
    refused("ip-remote-hint", kClient, kDelete),
    refused("peer-id", kPushed, kDeleteOnly),
    refused("protocol-flags", kPushed, kDeleteOnly),
    refused("key-derivation", kPushed, kDeleteOnly),
    refused("push-continuation", kPushed, kDeleteOnly),
    refused("dhcp-option", kToClients, "write `push \"dhcp-option ...\"`"),
    refused("dns", kToClients, "write `push \"dns ...\"`"),
    refused("register-dns", kToClients, "write `push \"register-dns\"`"),
    refused("block-outside-dns", kToClients, "write `push \"block-outside-dns\"`"),
    refused("ip-win32", kToClients, "write `push \"ip-win32 ...\"`"),
    refused("route-method", kWindows, kDeleteOnly),
    refused("allow-nonadmin", kWindows, kDeleteOnly),
    refused("dhcp-renew", kWindows, kDeleteOnly),
    refused("dhcp-release", kWindows, kDeleteOnly),
    refused("dhcp-pre-release", kWindows, kDeleteOnly),
    refused("dhcp-internal", kWindows, kDeleteOnly),
    refused("pause-exit", kWindows, kDeleteOnly),
    refused("service", kWindows, kDeleteOnly),
    refused("show-adapters", kWindows, kDeleteOnly),
    refused("show-net", kWindows, kDeleteOnly),
    refused("show-net-up", kWindows, kDeleteOnly),
    refused("show-valid-subnets", kWindows, kDeleteOnly),
    refused("tap-sleep", kWindows, kDeleteOnly),
    refused("win-sys", kWindows, kDeleteOnly),
    refused("windows-driver", kWindows, kDeleteOnly),
    refused("msg-channel", kWindows, kDeleteOnly),
    refused("no-name-remapping", "is gone since OpenVPN 2.5: names are always made safe",
            kDeleteOnly),
    refused("compat-names", "is gone since OpenVPN 2.5: names are always made safe", kDeleteOnly),
    refused("genkey", kCommand, "run `ringway genkey` in the shell"),
    refused("show-ciphers", kCommand, kUseOpenVpn),
    refused("show-digests", kCommand, kUseOpenVpn),
    refused("show-engines", kCommand, kUseOpenVpn),
    refused("show-gateway", kCommand, kUseOpenVpn),
    refused("show-groups", kCommand, kUseOpenVpn),
    refused("show-curves", kCommand, kUseOpenVpn),
    refused("show-pkcs11-ids", kCommand, kUseOpenVpn),
    refused("show-tls", kCommand, kUseOpenVpn),
    refused("test-crypto", kCommand, kUseOpenVpn),
    refused("memstats", kCommand, kDeleteOnly),
    refused("help", kCommand, "run `ringway server --help`"),
    refused("version", kCommand, "run `ringway --version`"),
};

}  // namespace

std::span<const OptionRow> foreign_options() { return kRows; }

}  // namespace ringway

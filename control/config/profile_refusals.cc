#include <array>

#include "control/config/option_table.h"

/// What has no effect in a client's profile, and what is refused there. The rest of OpenVPN's
/// options is judged by the server's table.
namespace ringway {
namespace {

constexpr std::string_view kDelete = "delete the line";
constexpr std::string_view kNoHooks =
    "is not served yet: what the program sets up would be missing";
constexpr std::string_view kHookInstead =
    "delete the line, and run the program from the service "
    "manager or by hand";
constexpr std::string_view kProxy = "is not served: a proxy carries TCP, and Ringway speaks UDP";
constexpr std::string_view kWeaker =
    "is not served yet: a server that it keeps out would be believed";
constexpr std::string_view kVerifyInstead =
    "write `remote-cert-tls server` and `verify-x509-name NAME name`";
constexpr std::string_view kKeyFiles =
    "is not served: Ringway reads certificate and private key from PEM files";
constexpr std::string_view kPemFiles = "write `cert FILE` and `key FILE`";
constexpr std::string_view kAllTraffic =
    "is not served yet: traffic that is meant for the tunnel would leave beside it";
constexpr std::string_view kWindows = "is for Windows";
constexpr std::string_view kScripts = "serves scripts, and none are run";

constexpr std::array kIdle = {
    no_effect("resolv-retry", "is what holds: a name is looked up at every attempt, without end"),
    no_effect("persist-key", "is what holds: keys are read once"),
    no_effect("float", "is not served: the server is expected at the address that `remote` names"),
    no_effect("auth-nocache", "is not served: the password stays in memory for renegotiations"),
    no_effect("auth-retry", "is not needed: a refused password ends the client"),
    no_effect("remote-random", "has nothing to choose from: there is one `remote`"),
    no_effect("user", "is not served yet: routes are taken away again with privileges"),
    no_effect("group", "is not served yet: routes are taken away again with privileges"),
    no_effect("push-peer-info", "is on in part: version, platform and ciphers are always sent"),
    no_effect("block-outside-dns", kWindows),
    no_effect("register-dns", kWindows),
    no_effect("ip-win32", kWindows),
    no_effect("route-method", kWindows),
    no_effect("win-sys", kWindows),
    no_effect("tap-sleep", kWindows),
    no_effect("windows-driver", kWindows),
    no_effect("allow-nonadmin", kWindows),
    no_effect("pause-exit", kWindows),
    no_effect("service", kWindows),
    no_effect("dhcp-renew", kWindows),
    no_effect("dhcp-release", kWindows),
    no_effect("max-routes", "is not needed: the number of routes is bounded anyway"),
    no_effect("ifconfig-nowarn", "silences a warning that Ringway does not have"),
    no_effect("allow-pull-fqdn", "is not served: routes are numbers"),
    no_effect("mtu-test", "is not served: write `mssfix N mtu` for a narrow path"),
    no_effect("reneg-bytes", "is left to the server; worn keys are replaced anyway"),
    no_effect("reneg-pkts", "is left to the server; worn keys are replaced anyway"),
    no_effect("status", "is not served: the log says what happens"),
    no_effect("status-version", "is not served: the log says what happens"),
    no_effect("dhcp-option", "is not served yet: set the name servers yourself"),
    no_effect("dns", "is not served yet: set the name servers yourself"),
    no_effect("route-gateway", "is not needed: routes name the device"),
    no_effect("inactive", "is not served: the client stays until it is told to end"),
    no_effect("up-delay", kScripts),
    no_effect("up-restart", kScripts),
    no_effect("down-pre", kScripts),
};

constexpr std::array kRefused = {
    refused("connection", "blocks are not served yet: one server is tried",
            "write its `remote` line alone"),
    refused("remote-random-hostname", "is not served yet", kDelete),
    refused("redirect-gateway", kAllTraffic,
            "write `route` lines for the networks that the tunnel should carry"),
    refused("redirect-private", kAllTraffic,
            "write `route` lines for the networks that the tunnel should carry"),
    refused("block-ipv6", kAllTraffic, "block IPv6 by nftables, and delete the line"),
    refused("fragment",
            "is refused: it changes the format of every packet, and `mssfix` does as much for TCP",
            "write `mssfix BYTES mtu`, and delete `fragment` here and at the server"),
    refused("comp-lzo",
            "is refused: it changes the format of every packet, and compression leaks "
            "what is encrypted",
            "delete the line here and at the server"),
    refused("ifconfig", "is refused: addresses are what the server pushes", kDelete),
    refused("ifconfig-ipv6", "is refused: addresses are what the server pushes", kDelete),
    refused("ifconfig-noexec", "is refused: Ringway configures the device that it creates",
            kDelete),
    refused("route-noexec", "is refused: Ringway sets the routes itself", "write `route-nopull`"),
    refused("lport", "is not served yet: the kernel picks our port", "write `nobind`"),
    refused("local", "is not served yet: the kernel picks our address", "write `nobind`"),
    refused("bind", "is not served yet: the kernel picks our address", "write `nobind`"),
    refused("tls-crypt-v2", "is not served yet: the server could not read what we send",
            "ask for a profile with `tls-crypt` or `tls-auth`"),
    refused("secret", "is refused: Ringway has no tunnels without TLS, and OpenVPN drops them too",
            "write `ca`, `cert` and `key`"),
    refused("peer-fingerprint", kWeaker, kVerifyInstead),
    refused("verify-hash", kWeaker, kVerifyInstead),
    refused("remote-cert-eku", kWeaker, kVerifyInstead),
    refused("remote-cert-ku", kWeaker, kVerifyInstead),
    refused("ns-cert-type", "relies on an extension that authorities no longer issue",
            "write `remote-cert-tls server`"),
    refused("tls-remote", "is gone since OpenVPN 2.4", kVerifyInstead),
    refused("tls-verify", kWeaker, kVerifyInstead),
    refused("extra-certs", "is not served: intermediate certificates go into the file of `cert`",
            "append the extra certificates to that file, and delete the line"),
    refused("capath", "is not served: Ringway reads authorities from one file",
            "join the directory's certificates into one file, and write `ca FILE`"),
    refused("pkcs12", kKeyFiles,
            "split the file (openssl pkcs12 -in FILE -nodes), and write `ca`, `cert` and `key`"),
    refused("pkcs11-id", kKeyFiles, kPemFiles),
    refused("pkcs11-providers", kKeyFiles, kPemFiles),
    refused("cryptoapicert", kKeyFiles, kPemFiles),
    refused("askpass", "is not served: the private key must be readable without a passphrase",
            "decrypt it once (openssl pkey -in KEY -out NEW), protect it by file mode 600, and "
            "delete the line"),
    refused("static-challenge", "is not served yet: nobody would be asked", kDelete),
    refused("auth-token", "is not served yet", "write `auth-user-pass FILE`"),
    refused("ping-exit", "is not served yet: a silent server is called again",
            "write `ping-restart SECONDS`"),
    refused("up", kNoHooks, kHookInstead),
    refused("down", kNoHooks, kHookInstead),
    refused("route-up", kNoHooks, kHookInstead),
    refused("route-pre-down", kNoHooks, kHookInstead),
    refused("ipchange", kNoHooks, kHookInstead),
    refused("dns-updown", kNoHooks, kHookInstead),
    refused("plugin", kNoHooks, kDelete),
    refused("management", "is not served yet: what steers OpenVPN by it would find nobody",
            kDelete),
    refused("http-proxy", kProxy, kDelete),
    refused("socks-proxy", kProxy, kDelete),
    refused("mark", "is not served yet: routing policy that relies on it would miss", kDelete),
    refused("bind-dev", "is not served yet: the tunnel would leave by other interfaces too",
            kDelete),
    refused("link-mtu", "is not served: its meaning depends on the cipher",
            "write `tun-mtu BYTES`, and `mssfix BYTES mtu` for the path outside"),
    refused("server", "makes a server, and this is a client's profile",
            "run `ringway server CONFIG`, or delete the line"),
    refused("mode", "is a server's, and this is a client's profile", kDelete),
    refused("push", "is a server's, and this is a client's profile", kDelete),
};

}  // namespace

std::span<const OptionRow> profile_idle_options() { return kIdle; }
std::span<const OptionRow> profile_refused_options() { return kRefused; }

}  // namespace ringway

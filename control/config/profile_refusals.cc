#include <array>

#include "control/config/option_table.h"

/// What has no effect in a client's profile, and what is refused there. The rest of OpenVPN's
/// options is judged by the server's table.
namespace ringway {
namespace {

constexpr std::string_view kDelete = "delete the line";
constexpr std::string_view kNoHooks =
    "is not served yet: what the program sets up would be missing";
constexpr std::string_view kProxy = "is not served: the server is reached directly";
constexpr std::string_view kWeaker =
    "is not served yet: a server that it keeps out would be believed";
constexpr std::string_view kVerifyInstead =
    "write `remote-cert-tls server` and `verify-x509-name NAME name`";
constexpr std::string_view kKeyFiles =
    "is not served: Ringway reads certificate and private key from PEM files";
constexpr std::string_view kPemFiles = "write `cert FILE` and `key FILE`";
constexpr std::string_view kWindows = "is for Windows";

constexpr std::array kIdle = {
    no_effect("setenv-safe", "is for servers; `setenv` sets what scripts see"),
    no_effect("tmp-dir", "is not needed: no files pass between client and scripts"),
    no_effect("persist-key", "is what holds: keys are read once"),
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
    no_effect("mtu-test", "is not served: write `mssfix N mtu` for a narrow path"),
    no_effect("tun-mtu-max",
              "bounds what a server may push; a pushed `tun-mtu` is taken from 576 to 9000 anyway"),
    no_effect("tun-ipv6",
              "is what holds: IPv6 goes through the tunnel whenever the server gives an address"),
    no_effect("mktun", "is not needed: the client creates its device"),
    no_effect("hash-size", "is for a server's tables"),
    no_effect("remap-usr1", "is not served: SIGUSR1 connects anew, and SIGTERM ends the client"),
    no_effect("status", "is not served: the log says what happens"),
    no_effect("status-version", "is not served: the log says what happens"),
    no_effect("up-delay", "is what holds: scripts run when the tunnel stands"),
    no_effect("up-restart", "is what holds: scripts run whenever the device is made"),
    no_effect("down-pre", "is what holds: `down` runs before the device goes"),
};

constexpr std::array kRefused = {
    refused("fragment",
            "is refused: it changes the format of every packet, and `mssfix` does as much for TCP",
            "write `mssfix BYTES mtu`, and delete `fragment` here and at the server"),
    refused("comp-lzo",
            "is refused: it changes the format of every packet, and compression leaks "
            "what is encrypted",
            "delete the line here and at the server"),
    refused("secret", "is refused: Ringway has no tunnels without TLS, and OpenVPN drops them too",
            "write `ca`, `cert` and `key`"),
    refused("ns-cert-type", "relies on an extension that authorities no longer issue",
            "write `remote-cert-tls server`"),
    refused("tls-remote", "is gone since OpenVPN 2.4", kVerifyInstead),
    refused("tls-verify", kWeaker, kVerifyInstead),
    refused("capath", "is not served: Ringway reads authorities from one file",
            "join the directory's certificates into one file, and write `ca FILE`"),
    refused("pkcs12", kKeyFiles,
            "split the file (openssl pkcs12 -in FILE -nodes), and write `ca`, `cert` and `key`"),
    refused("pkcs11-id", kKeyFiles, kPemFiles),
    refused("pkcs11-providers", kKeyFiles, kPemFiles),
    refused("cryptoapicert", kKeyFiles, kPemFiles),
    refused("auth-token", "is for servers to push, and no token is good for longer than a session",
            "write `auth-user-pass`"),
    refused("plugin", kNoHooks, kDelete),
    refused("management", "is not served yet: what steers OpenVPN by it would find nobody",
            kDelete),
    refused("http-proxy", kProxy, kDelete),
    refused("socks-proxy", kProxy, kDelete),
    refused("link-mtu", "is not served: its meaning depends on the cipher",
            "write `tun-mtu BYTES`, and `mssfix BYTES mtu` for the path outside"),
    refused("server", "makes a server, and this is a client's profile",
            "run `ringway server CONFIG`, or delete the line"),
    refused("mode", "is a server's, and this is a client's profile", kDelete),
    refused("tls-server", "is a server's, and this is a client's profile", kDelete),
    refused("push", "is a server's, and this is a client's profile", kDelete),
};

}  // namespace

std::span<const OptionRow> profile_idle_options() { return kIdle; }
std::span<const OptionRow> profile_refused_options() { return kRefused; }

}  // namespace ringway

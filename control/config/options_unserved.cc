#include <array>

#include "control/config/option_table.h"

/// Hooks, plugins and the management interface: programs that decide about clients. Dropping one
/// silently could admit whom it would refuse.
namespace ringway {
namespace {

constexpr std::string_view kNoManagement =
    "is not served yet: what watches or steers OpenVPN by it "
    "would find nobody";
constexpr std::string_view kNoManagementInstead =
    "delete the line; `status FILE` lists the clients";
constexpr std::string_view kNoHooks =
    "is not served yet: what the program decides or sets up would be missing";
constexpr std::string_view kStartHook =
    "write its commands as ExecStartPre= or ExecStartPost= of the systemd unit";
constexpr std::string_view kStopHook = "write its commands as ExecStopPost= of the systemd unit";
constexpr std::string_view kDecideByCertificate =
    "delete the line, and decide by `ca` and `crl-verify`";
constexpr std::string_view kDelete = "delete the line";

constexpr std::array kRows = {
    refused("plugin", kNoHooks, "delete the line, and let certificates decide who gets in"),
    refused("auth-user-pass-verify", "is not served yet: passwords would not be checked",
            "delete the line, and give each client a certificate"),
    refused("client-connect", kNoHooks, kDecideByCertificate),
    refused("client-disconnect", kNoHooks, "delete the line; `status FILE` lists the clients"),
    refused("client-crresponse", kNoHooks, kDelete),
    refused("learn-address", kNoHooks, "delete the line, and filter the TUN device by nftables"),
    refused("tls-verify", kNoHooks, kDecideByCertificate),
    refused("up", kNoHooks, kStartHook),
    refused("up-delay", kNoHooks, kDelete),
    refused("up-restart", kNoHooks, kDelete),
    refused("down", kNoHooks, kStopHook),
    refused("down-pre", kNoHooks, kDelete),
    refused("route-up", kNoHooks, kStartHook),
    refused("route-pre-down", kNoHooks, kStopHook),
    refused("ipchange", kNoHooks, kDelete),
    refused("iproute", "is not served: Ringway speaks to the kernel itself", kDelete),
    refused("dns-updown", "is for clients", kDelete),
    refused("management", kNoManagement, kNoManagementInstead),
    refused("management-client", kNoManagement, kNoManagementInstead),
    refused("management-client-auth", "is not served yet: nobody would decide about clients",
            "delete the line, and let certificates decide who gets in"),
    refused("management-client-group", kNoManagement, kNoManagementInstead),
    refused("management-client-pf", kNoManagement, kNoManagementInstead),
    refused("management-client-user", kNoManagement, kNoManagementInstead),
    refused("management-external-cert", kNoManagement, "write `cert FILE`"),
    refused("management-external-key", kNoManagement, "write `key FILE`"),
    refused("management-forget-disconnect", kNoManagement, kNoManagementInstead),
    refused("management-hold", kNoManagement, kNoManagementInstead),
    refused("management-log-cache", kNoManagement, kNoManagementInstead),
    refused("management-query-passwords", kNoManagement, kNoManagementInstead),
    refused("management-query-proxy", kNoManagement, kNoManagementInstead),
    refused("management-query-remote", kNoManagement, kNoManagementInstead),
    refused("management-signal", kNoManagement, kNoManagementInstead),
    refused("management-up-down", kNoManagement, kNoManagementInstead),
};

}  // namespace

std::span<const OptionRow> unserved_options() { return kRows; }

}  // namespace ringway

#include <array>

#include "control/config/option_table.h"

/// Plugins and the management interface: programs that decide about clients. Dropping one
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
constexpr std::string_view kStopHook = "write its commands into the program of `down`";
constexpr std::string_view kDecideByProgram =
    "delete the line, and let a program of `auth-user-pass-verify` or `client-connect` decide, or "
    "certificates alone";
constexpr std::string_view kDelete = "delete the line";

constexpr std::array kRows = {
    refused("plugin", kNoHooks, kDecideByProgram),
    refused("up-delay", kNoHooks, kDelete),
    refused("up-restart", kNoHooks, kDelete),
    refused("down-pre", kNoHooks, kDelete),
    refused("route-pre-down", kNoHooks, kStopHook),
    refused("ipchange", "is for clients; OpenVPN's servers refuse it too",
            "write `client-connect PROGRAM`"),
    refused("iproute", "is not served: Ringway speaks to the kernel itself", kDelete),
    refused("dns-updown", "is for clients", kDelete),
    refused("management", kNoManagement, kNoManagementInstead),
    refused("management-client", kNoManagement, kNoManagementInstead),
    refused("management-client-auth", "is not served yet: nobody would decide about clients",
            kDecideByProgram),
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

#include <fmt/format.h>

#include "control/check/inspection.h"
#include "control/check/pushed_options.h"

/// How the ends find each other trustworthy and alive, and what clients are told.
namespace ringway {
namespace {

std::int64_t seconds_of(Duration time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time).count();
}

void check_wrap(const ConfigDraft& draft, FindingList& findings) {
  const WrapConfig& wrap = draft.config.wrap;
  if (wrap.mode != WrapMode::None || wrap.v2_key.is_set()) return;
  findings.add("no-tls-wrap",
               {.where = draft.config.source,
                .what = "there is neither `tls-crypt` nor `tls-auth`",
                .why = "any stranger can start a handshake, and a scan finds the server",
                .write = "`tls-crypt FILE`, here and in the clients"});
}

void check_keepalive(const ConfigDraft& draft, FindingList& findings) {
  const TimerConfig& timers = draft.config.timers;
  const std::string where = draft.place_of(draft.has("keepalive") ? "keepalive" : "ping");
  if (timers.ping_restart == Duration{0} || timers.ping == Duration{0}) {
    findings.add("keepalive-missing",
                 {.where = where,
                  .what = "there is no `keepalive`",
                  .why = "nobody notices that the other end is gone, and a NAT forgets a "
                         "connection that is silent",
                  .write = "`keepalive 10 60`"});
  } else if (timers.ping > 60s) {
    findings.add("keepalive-long",
                 {.where = where,
                  .what = fmt::format("pings come every {} seconds", seconds_of(timers.ping)),
                  .why = "the NAT of a provider (CGN, DS-Lite) may forget a silent connection "
                         "after 30 to 120 seconds, and then nothing reaches the client",
                  .write = "`keepalive 10 60`"});
  }
}

void check_redirect(const ConfigDraft& draft, FindingList& findings) {
  const PushedRoutes pushed = pushed_routes(draft.config);
  if (!pushed.redirects_v4 || pushed.redirects_v6 || pushed.blocks_v6) return;
  findings.add("redirect-ipv4-only",
               {.where = draft.place_of("push"),
                .what = "`redirect-gateway` is pushed for IPv4 alone",
                .why = "a client with IPv6 sends all IPv6 traffic beside the tunnel",
                .write = draft.config.tunnel.network_v6
                             ? "`push \"redirect-gateway def1 ipv6\"`"
                             : "`server-ipv6 fd00:8::/64` and `push \"redirect-gateway def1 "
                               "ipv6\"`, or `push block-ipv6`"});
}

void check_duplicates(const ConfigDraft& draft, FindingList& findings) {
  if (!draft.config.duplicate_cn || draft.config.pool_persist_file.empty()) return;
  findings.add("duplicate-cn-persist",
               {.where = draft.place_of("ifconfig-pool-persist"),
                .what = "leases are kept by common name, and `duplicate-cn` gives one name to "
                        "several clients",
                .why = "which of them gets the address again is chance",
                .write = "either `duplicate-cn` or `ifconfig-pool-persist FILE`"});
}

}  // namespace

void check_clients(const Inspection& inspection, FindingList& findings) {
  const ConfigDraft& draft = inspection.survey.draft;
  check_wrap(draft, findings);
  if (inspection.survey.kind == ConfigKind::Server) {
    check_keepalive(draft, findings);
    check_redirect(draft, findings);
    check_duplicates(draft, findings);
    return;
  }
  const TlsConfig& tls = draft.config.tls;
  if (tls.remote_cert_tls || !tls.peer_name.empty()) return;
  findings.add("server-unverified",
               {.where = draft.config.source,
                .what = "any certificate of the authority may pose as the server",
                .why = "another client of the same authority could sit in between",
                .write = "`remote-cert-tls server`"});
}

}  // namespace ringway

#include <fmt/format.h>

#include "control/check/inspection.h"
#include "dataplane/channel/mss_fix.h"
#include "dataplane/channel/outer_size.h"

/// Packet sizes that were written by hand, against what common lines carry whole.
namespace ringway {
namespace {

/// PPPoE (RFC 2516 7); IPv4 of DS-Lite (RFC 6333 5.3: 1500 less the IPv6 header); both together.
constexpr std::size_t kPppoe = 1492;
constexpr std::size_t kDsLite = 1460;
constexpr std::size_t kDsLiteOnPppoe = 1452;

struct OuterSizes {
  std::size_t v4 = 0;
  std::size_t v6 = 0;
};

/// The largest outer packets of a TCP connection in the tunnel.
OuterSizes outer_sizes(const MssFix& mssfix) {
  constexpr std::size_t kIpv4AndUdp = 28;
  constexpr std::size_t kIpv6AndUdp = 48;
  using Mode = MssFix::Mode;
  switch (mssfix.mode) {
    case Mode::Path: break;
    case Mode::Mtu: return {mssfix.value, mssfix.value};
    case Mode::Payload: return {mssfix.value + kIpv4AndUdp, mssfix.value + kIpv6AndUdp};
    case Mode::Fixed:
      // Of the clients that have the most around it.
      return {mssfix.value + OuterFormat{.is_v4 = true, .in_epochs = true}.size(),
              mssfix.value + OuterFormat{.is_v4 = false, .in_epochs = true}.size()};
  }
  return {};
}

std::string lines_that_are_too_narrow(const OuterSizes& sizes) {
  std::string text;
  const auto add = [&](std::string_view line, bool is_exceeded) {
    if (is_exceeded) text += fmt::format("{}{}", text.empty() ? "" : ", ", line);
  };
  // DS-Lite narrows IPv4 alone: its clients' IPv6 is native.
  add("PPPoE (1492)", sizes.v4 > kPppoe || sizes.v6 > kPppoe);
  add("IPv4 of DS-Lite (1460)", sizes.v4 > kDsLite);
  add("IPv4 of DS-Lite on PPPoE (1452)", sizes.v4 > kDsLiteOnPppoe);
  return text;
}

void check_mssfix(const ConfigDraft& draft, FindingList& findings) {
  const MssFix& mssfix = draft.config.tunnel.mssfix;
  if (mssfix.value == 0) {
    findings.add("mssfix-too-big",
                 {.where = draft.place_of("mssfix"),
                  .what = "`mssfix 0` leaves the segments of TCP as large as they are",
                  .why = "they leave in two outer packets on every common line, and some "
                         "networks lose such pieces",
                  .write = "nothing: delete the line"});
    return;
  }
  const OuterSizes sizes = outer_sizes(mssfix);
  const std::string lines = lines_that_are_too_narrow(sizes);
  if (lines.empty()) return;
  findings.add("mssfix-too-big",
               {.where = draft.place_of("mssfix"),
                .what = fmt::format("outer packets of up to {} bytes (IPv4) and {} (IPv6) are more "
                                    "than these lines carry whole: {}",
                                    sizes.v4, sizes.v6, lines),
                .why = "unless the path was measured to carry less, they leave in two pieces, "
                       "which costs speed, and some networks lose pieces",
                .write = fmt::format("nothing: delete the line; or `mssfix {} mtu`, which fits "
                                     "them all",
                                     kDsLiteOnPppoe)});
}

}  // namespace

void check_sizes(const Inspection& inspection, FindingList& findings) {
  const ConfigDraft& draft = inspection.survey.draft;
  if (draft.config.tunnel.mssfix.mode == MssFix::Mode::Path) {
    findings.add("mssfix-default",
                 {.where = draft.place_of("mssfix"),
                  .what = "TCP in the tunnel is kept to what travels to the other end in one outer "
                          "packet",
                  .why = "that follows the path: 1500 bytes on Ethernet, 1492 over PPPoE, 1460 for "
                         "IPv4 behind DS-Lite, 1452 for DS-Lite on PPPoE",
                  .write = "nothing"});
  } else {
    check_mssfix(draft, findings);
  }
  if (draft.has("tun-mtu") && draft.config.tunnel.mtu < 1500) {
    findings.add("tun-mtu-by-hand",
                 {.where = draft.place_of("tun-mtu"),
                  .what = fmt::format("`tun-mtu {}` makes every packet in the tunnel smaller",
                                      draft.config.tunnel.mtu),
                  .why = "it is mostly written to make outer packets fit, which Ringway sees to by "
                         "the MSS of TCP; what is pushed or written elsewhere must say the same",
                  .write = "nothing: delete the line, here and in the clients"});
  }
}

}  // namespace ringway

#include <fmt/format.h>

#include <array>
#include <string>
#include <string_view>

#include "control/check/inspection.h"

/// What OpenVPN's data channel offload (DCO: the kernel module ovpn-dco, `ovpn` since Linux 6.16)
/// makes of the lines. It takes away what a kernel module does not do; Ringway has none, and keeps
/// all of it.
namespace ringway {
namespace {

/// OpenVPN runs without DCO when one of these is there.
constexpr std::array kSwitchOff = {
    std::string_view("fragment"),   std::string_view("compress"),
    std::string_view("comp-lzo"),   std::string_view("data-ciphers-fallback"),
    std::string_view("http-proxy"), std::string_view("socks-proxy"),
    std::string_view("shaper")};
/// With DCO these are lines without effect.
constexpr std::array kLost = {
    std::string_view("mssfix"),      std::string_view("client-to-client"),
    std::string_view("reneg-bytes"), std::string_view("reneg-pkts"),
    std::string_view("passtos"),     std::string_view("iroute"),
};

void add(std::string& list, std::string_view option, const std::string& where) {
  list += fmt::format("{}`{}` ({})", list.empty() ? "" : ", ", option, where);
}

}  // namespace

void check_dco(const Inspection& inspection, FindingList& findings) {
  const ConfigDraft& draft = inspection.survey.draft;
  std::string off;
  std::string lost;
  std::string first;
  const auto note = [&](std::string& list, std::string_view option) {
    const std::string where = draft.place_of(option);
    if (first.empty()) first = where;
    add(list, option, where);
  };
  if (draft.locals.size() > 1) note(off, "local");
  for (const std::string_view option : kSwitchOff) {
    if (draft.has(option)) note(off, option);
  }
  for (const std::string_view option : kLost) {
    if (draft.has(option)) note(lost, option);
  }
  if (off.empty() && lost.empty()) return;
  std::string what = "OpenVPN's data channel offload (DCO)";
  if (!off.empty()) what += " is switched off by " + off;
  if (!off.empty() && !lost.empty()) what += ", and";
  if (!lost.empty()) what += " takes the effect from " + lost;
  findings.add("dco", {.where = first,
                       .what = what,
                       .why = "Ringway needs no kernel module and has no such exceptions: what it "
                              "serves, it serves at full speed"});
}

}  // namespace ringway

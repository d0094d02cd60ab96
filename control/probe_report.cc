#include "control/probe_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

namespace ringway {
namespace {

using Json = nlohmann::ordered_json;

std::string_view transport_word(ProbeTransport transport) {
  return transport == ProbeTransport::Udp ? "udp" : "tcp";
}

std::string_view wrapping_word(ProbeWrapping wrapping) {
  switch (wrapping) {
    case ProbeWrapping::None: return "none";
    case ProbeWrapping::TlsAuth: return "tls-auth";
    case ProbeWrapping::TlsCrypt: return "tls-crypt";
  }
  return "";
}

std::string_view verdict_word(ProbeVerdict verdict) {
  switch (verdict) {
    case ProbeVerdict::Reachable: return "reachable";
    case ProbeVerdict::WrongSource: return "wrong-source";
    case ProbeVerdict::NotOpenVpn: return "not-openvpn";
    case ProbeVerdict::Refused: return "refused";
    case ProbeVerdict::Closed: return "closed";
    case ProbeVerdict::Unreachable: return "unreachable";
    case ProbeVerdict::Silent: return "silent";
  }
  return "";
}

double milliseconds(Duration duration) { return static_cast<double>(duration / 1us) / 1000; }

bool is_reachable(const ProbeOutcome& outcome) {
  return outcome.verdict == ProbeVerdict::Reachable;
}

bool any(const ProbeTarget& target, bool ipv6, ProbeVerdict verdict) {
  return std::ranges::any_of(target.outcomes, [&](const ProbeOutcome& outcome) {
    return outcome.target.address.is_v4() != ipv6 && outcome.verdict == verdict;
  });
}

std::string who(const ProbeOutcome& outcome) {
  const auto& failure = outcome.failure;
  if (!failure) return "";
  if (!failure->from) return "this host says: " + failure->reason;
  return fmt::format("{} says: {}", failure->from->to_string(), failure->reason);
}

std::string silence(const ProbeOutcome& outcome, ProbeWrapping wrapping) {
  const auto seconds = (outcome.waited + 500ms) / 1s;
  if (outcome.transport == ProbeTransport::Tcp && outcome.sent == 0) {
    return fmt::format("no connection in {} seconds: no host is there, or a firewall drops",
                       seconds);
  }
  const std::string sent = fmt::format("no answer to {} packet{} in {} seconds", outcome.sent,
                                       outcome.sent == 1 ? "" : "s", seconds);
  if (wrapping == ProbeWrapping::None) {
    return sent +
           ": nothing listens there, a firewall drops, or the server wants a key: with `tls-auth`, "
           "`tls-crypt` or `tls-crypt-v2` it answers nobody without one (--tls-auth FILE, "
           "--tls-crypt FILE)";
  }
  return sent + ": nothing listens there, a firewall drops, or the server has another key";
}

std::string why_foreign(const ProbeOutcome& outcome, ProbeWrapping wrapping) {
  if (outcome.answer_is_unwrapped) {
    return fmt::format("answers without wrapping: the server has no `{}`, ask it without the key",
                       wrapping_word(wrapping));
  }
  return "something answers there, but not as an OpenVPN server does";
}

/// What the families say together, about the server.
std::vector<std::string> hints(const ProbeTarget& target) {
  std::vector<std::string> lines;
  const auto answers = [&](bool ipv6) { return any(target, ipv6, ProbeVerdict::Reachable); };
  const auto is_refused = [&](bool ipv6) { return any(target, ipv6, ProbeVerdict::Refused); };
  const auto is_silent = [&](bool ipv6) { return any(target, ipv6, ProbeVerdict::Silent); };
  const std::string_view proto = transport_word(target.transport);
  if (answers(false) && is_refused(true)) {
    lines.push_back(fmt::format(
        "IPv6 is refused where IPv4 answers: OpenVPN's `proto {}` serves IPv4 only; write `proto "
        "{}6` at the server, or let Ringway serve, whose `proto {}` is both",
        proto, proto, proto));
  }
  if (answers(false) && is_silent(true)) {
    lines.emplace_back(
        "IPv6 is silent where IPv4 answers: see the server's IPv6 firewall, and whether its AAAA "
        "record is its present address");
  }
  if (answers(true) && (is_silent(false) || is_refused(false))) {
    lines.emplace_back(
        "IPv4 does not answer where IPv6 does: see the forwarding of the port; a server behind "
        "DS-Lite or CGN has no IPv4 address of its own that could be called");
  }
  const auto is_wrong = [](const ProbeOutcome& outcome) {
    return outcome.verdict == ProbeVerdict::WrongSource;
  };
  if (std::ranges::any_of(target.outcomes, is_wrong)) {
    lines.emplace_back(
        "an answer from another address never gets through a NAT or a firewall: write `multihome` "
        "at an OpenVPN server, or `local ADDRESS`");
  }
  return lines;
}

std::string gap_sentence(const ProbeGap& gap) {
  if (!gap.ipv6) {
    return fmt::format("no A record ({}): clients with IPv4 only cannot reach it", gap.reason);
  }
  return fmt::format(
      "no AAAA record ({}): clients behind DS-Lite or CGN reach it by their carrier's NAT alone, "
      "those with IPv6 only by NAT64",
      gap.reason);
}

std::string path_sentence(const ProbePath& path) {
  if (path.mtu) return fmt::format("path MTU {}, proven by packets that arrived", *path.mtu);
  return "path MTU not measured: " + path.failure;
}

std::string heading(const ProbeTarget& target) {
  return fmt::format("{}, port {}, {}{}\n", target.host, target.port,
                     target.transport == ProbeTransport::Udp ? "UDP" : "TCP",
                     target.wrapping == ProbeWrapping::None
                         ? ", no key"
                         : fmt::format(", by the key of {}", wrapping_word(target.wrapping)));
}

Json json_of(const ProbeOutcome& outcome, ProbeWrapping wrapping) {
  Json json;
  json["family"] = outcome.target.address.is_v4() ? "ipv4" : "ipv6";
  json["address"] = outcome.target.address.to_string();
  json["verdict"] = verdict_word(outcome.verdict);
  json["text"] = probe_sentence(outcome, wrapping);
  json["round_trip_ms"] =
      outcome.round_trip ? Json(milliseconds(*outcome.round_trip)) : Json(nullptr);
  json["source"] = outcome.source ? Json(outcome.source->to_string()) : Json(nullptr);
  json["sent"] = outcome.sent;
  return json;
}

Json json_of(const ProbeTarget& target) {
  Json json;
  json["host"] = target.host;
  json["port"] = target.port;
  json["transport"] = transport_word(target.transport);
  json["wrapping"] = wrapping_word(target.wrapping);
  json["addresses"] = Json::array();
  for (const ProbeOutcome& outcome : target.outcomes) {
    json["addresses"].push_back(json_of(outcome, target.wrapping));
  }
  json["paths"] = Json::array();
  for (const ProbePath& path : target.paths) {
    json["paths"].push_back({{"family", path.target.address.is_v4() ? "ipv4" : "ipv6"},
                             {"address", path.target.address.to_string()},
                             {"mtu", path.mtu ? Json(*path.mtu) : Json(nullptr)},
                             {"text", path_sentence(path)}});
  }
  json["missing"] = Json::array();
  for (const ProbeGap& gap : target.gaps) {
    json["missing"].push_back({{"family", gap.ipv6 ? "ipv6" : "ipv4"}, {"reason", gap.reason}});
  }
  json["hints"] = hints(target);
  return json;
}

struct Tally {
  std::size_t reachable = 0;
  std::size_t all = 0;
};

Tally tally(const ProbeReport& report) {
  Tally tally;
  for (const ProbeTarget& target : report.targets) {
    tally.all += target.outcomes.size();
    tally.reachable +=
        static_cast<std::size_t>(std::ranges::count_if(target.outcomes, is_reachable));
  }
  return tally;
}

}  // namespace

std::string probe_sentence(const ProbeOutcome& outcome, ProbeWrapping wrapping) {
  const auto trip = [&] { return fmt::format("{:.1f} ms", milliseconds(*outcome.round_trip)); };
  switch (outcome.verdict) {
    case ProbeVerdict::Reachable:
      return fmt::format("reachable, {}, answered from {}", trip(), outcome.source->to_string());
    case ProbeVerdict::WrongSource:
      return fmt::format("answers from {} and not from the address asked, {}",
                         outcome.source->to_string(), trip());
    case ProbeVerdict::NotOpenVpn: return why_foreign(outcome, wrapping);
    case ProbeVerdict::Refused: return "refused, nothing listens there: " + who(outcome);
    case ProbeVerdict::Closed:
      return "the connection is made and closed without an answer: " + who(outcome);
    case ProbeVerdict::Unreachable: return "unreachable: " + who(outcome);
    case ProbeVerdict::Silent: return silence(outcome, wrapping);
  }
  return "";
}

int ProbeReport::exit_status() const {
  const auto [reachable, all] = tally(*this);
  if (reachable == 0) return kNoneReachable;
  return reachable == all ? kAllReachable : kSomeReachable;
}

std::string ProbeReport::to_text() const {
  std::string text;
  for (const ProbeTarget& target : targets) {
    text += heading(target);
    for (const ProbeOutcome& outcome : target.outcomes) {
      text +=
          fmt::format("  {}  {}\n        {}\n", outcome.target.address.is_v4() ? "IPv4" : "IPv6",
                      outcome.target.address.to_string(), probe_sentence(outcome, target.wrapping));
    }
    for (const ProbePath& path : target.paths) {
      text += fmt::format("  {}  {}\n        {}\n", path.target.address.is_v4() ? "IPv4" : "IPv6",
                          path.target.address.to_string(), path_sentence(path));
    }
    for (const ProbeGap& gap : target.gaps) {
      text += fmt::format("  {}  {}\n", gap.ipv6 ? "IPv6" : "IPv4", gap_sentence(gap));
    }
    for (const std::string& hint : hints(target)) text += fmt::format("  hint: {}\n", hint);
  }
  const auto [reachable, all] = tally(*this);
  return text + fmt::format("{} of {} address{} reachable\n", reachable, all, all == 1 ? "" : "es");
}

std::string ProbeReport::to_json() const {
  const auto [reachable, all] = tally(*this);
  Json json;
  json["targets"] = Json::array();
  for (const ProbeTarget& target : targets) json["targets"].push_back(json_of(target));
  json["reachable"] = reachable;
  json["addresses"] = all;
  json["exit_status"] = exit_status();
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace ringway

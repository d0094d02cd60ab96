#pragma once

#include <string>
#include <vector>

#include "control/probe_attempt.h"

namespace ringway {

/// How the control channel was wrapped.
enum class ProbeWrapping : std::uint8_t { None, TlsAuth, TlsCrypt };

/// A family for which the name has no address.
struct ProbeGap {
  bool ipv6 = false;
  /// The resolver's own words.
  std::string reason;
};

/// What was found of the path to one address, by somebody who is logged in.
struct ProbePath {
  Endpoint target;
  /// The largest packet that gets through, IP header included; unset: not measured.
  std::optional<std::uint16_t> mtu;
  /// Why not.
  std::string failure;
};

/// One server that was asked: all addresses of one name, port and transport. Pure value.
struct ProbeTarget {
  std::string host;
  std::uint16_t port = 1194;
  ProbeTransport transport = ProbeTransport::Udp;
  ProbeWrapping wrapping = ProbeWrapping::None;
  std::vector<ProbeGap> gaps;
  std::vector<ProbeOutcome> outcomes;
  /// Only where somebody logged in.
  std::vector<ProbePath> paths;
};

/// All that `ringway probe` found. Pure value.
struct ProbeReport {
  static constexpr int kAllReachable = 0;
  static constexpr int kNoneReachable = 1;
  static constexpr int kSomeReachable = 2;
  /// The question itself was wrong: an option, a file, a profile.
  static constexpr int kNotAsked = 3;

  std::vector<ProbeTarget> targets;

  [[nodiscard]] int exit_status() const;
  /// For people, several lines.
  [[nodiscard]] std::string to_text() const;
  /// For programs: one JSON object.
  [[nodiscard]] std::string to_json() const;
};

/// What was found at one address, as a sentence without its full stop.
std::string probe_sentence(const ProbeOutcome& outcome, ProbeWrapping wrapping);

}  // namespace ringway

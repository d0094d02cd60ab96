#include "control/client_push.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "tun/ecn.h"

namespace ringway {
namespace {

/// The longest that a server may have us wait: OpenVPN's limit of `keepalive`.
constexpr std::uint32_t kSecondsMax = 43'200;
constexpr unsigned kExitNotifyMax = 5;
/// DSCP: all of the traffic class but ECN (RFC 2474 3).
constexpr std::uint8_t kDscpMask = 0xfc;
/// What the client's device takes. Whether the number makes sense is seen when that is made.
constexpr std::uint32_t kTunMtuMin = 576;
constexpr std::uint32_t kTunMtuMax = 9000;

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::uint32_t> number_of(const PushReply& reply, std::string_view name) {
  const auto value = find_option(reply, name);
  return value ? number(*value) : std::nullopt;
}

std::optional<Duration> seconds_of(const PushReply& reply, std::string_view name) {
  const auto value = number_of(reply, name);
  if (!value) return std::nullopt;
  return std::chrono::seconds(std::min(*value, kSecondsMax));
}

/// Whether `word` is among the blank-separated words of `text`.
bool has_word(std::string_view text, std::string_view word) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (text.substr(0, end) == word) return true;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return false;
}

PeerId peer_id_of(const PushReply& reply) {
  const auto value = number_of(reply, "peer-id");
  return value && *value < PeerId::kUnset ? PeerId{*value} : PeerId{};
}

/// Our inner address and the server's, where it says both. `ifconfig-ipv6 OURS/BITS THEIRS` does.
TunnelEnds ends_of(const PushReply& reply) {
  const auto word = [&](std::string_view option, std::size_t index) {
    std::string_view text = find_option(reply, option).value_or("");
    for (; index > 0; --index) text.remove_prefix(std::min(text.find(' '), text.size() - 1) + 1);
    return text.substr(0, std::min(text.find(' '), text.find('/')));
  };
  const auto ours_v4 = IpAddress::parse(word("ifconfig", 0));
  const auto theirs_v4 = IpAddress::parse(word("route-gateway", 0));
  if (ours_v4 && theirs_v4 && ours_v4->is_v4() && theirs_v4->is_v4()) {
    return {.ours = *ours_v4, .theirs = *theirs_v4};
  }
  const auto ours_v6 = IpAddress::parse(word("ifconfig-ipv6", 0));
  const auto theirs_v6 = IpAddress::parse(word("ifconfig-ipv6", 1));
  if (ours_v6 && theirs_v6 && !ours_v6->is_v4() && !theirs_v6->is_v4()) {
    return {.ours = *ours_v6, .theirs = *theirs_v6};
  }
  return {};
}

/// When silence, idleness or the clock ends the connection. Of `ping-restart` and `ping-exit` the
/// one that comes last counts.
void read_end(const PushReply& reply, const ClientPush::Defaults& defaults, ClientPush& push) {
  push.session.ping_restart = defaults.ping_restart;
  push.ping_exits = defaults.ping_exits;
  push.lifetime = defaults.lifetime;
  for (const std::string& option : reply.options) {
    const bool exits = option.starts_with("ping-exit ");
    if (!exits && !option.starts_with("ping-restart ")) continue;
    const auto seconds = number(std::string_view(option).substr(option.find(' ') + 1));
    if (!seconds) continue;
    push.session.ping_restart = std::chrono::seconds(std::min(*seconds, kSecondsMax));
    push.ping_exits = exits;
  }
  if (const auto inactive = find_option(reply, "inactive")) {
    const std::size_t space = std::min(inactive->find(' '), inactive->size());
    if (const auto seconds = number(inactive->substr(0, space))) {
      push.lifetime.inactive = std::chrono::seconds(*seconds);
      const std::string_view bytes = inactive->substr(std::min(space + 1, inactive->size()));
      push.lifetime.inactive_bytes = bytes.empty() ? 0 : number(bytes).value_or(0);
    }
  }
  if (const auto seconds = number_of(reply, "session-timeout")) {
    push.lifetime.session = std::chrono::seconds(*seconds);
  }
}

}  // namespace

std::expected<ClientPush, std::string> ClientPush::read(const PushReply& reply,
                                                        std::span<const DataCipher> offered,
                                                        const Defaults& defaults) {
  const auto name = find_option(reply, "cipher");
  if (!name) return std::unexpected("the server chose no data cipher");
  const auto cipher = parse_data_cipher(*name);
  if (!cipher || std::ranges::find(offered, *cipher) == offered.end()) {
    return std::unexpected(
        fmt::format("the server chose the data cipher {}, which was not offered", *name));
  }
  const std::string_view flags = find_option(reply, "protocol-flags").value_or("");
  ClientPush push;
  push.admission.data_epochs = has_word(flags, "aead-epoch");
  if (push.admission.data_epochs && !defaults.offers_epochs) {
    return std::unexpected("the server asks for aead-epoch, which was not offered");
  }
  push.admission.cipher = *cipher;
  push.admission.tls_key_export =
      has_word(flags, "tls-ekm") || find_option(reply, "key-derivation").value_or("") == "tls-ekm";
  push.admission.dynamic_tls_crypt = has_word(flags, "dyn-tls-crypt");
  push.peer_id = peer_id_of(reply);
  push.session.data_v2 = push.peer_id.is_set();
  push.session.in_epochs = push.admission.data_epochs;
  if (push.session.in_epochs && !push.session.data_v2) {
    return std::unexpected(
        "the server asks for aead-epoch and gives no peer-id, without which "
        "there is no such packet");
  }
  push.session.ping_interval = seconds_of(reply, "ping").value_or(defaults.ping_interval);
  read_end(reply, defaults, push);
  if (const auto mtu = number_of(reply, "tun-mtu")) {
    push.session.tun_mtu = static_cast<std::uint16_t>(std::clamp(*mtu, kTunMtuMin, kTunMtuMax));
  }
  push.session.ends = ends_of(reply);
  // RFC 6040 4.1: only towards a server that brings the marks back inside.
  if (find_option(reply, "ecn")) push.session.outer_class_mask |= ecn::kMask;
  if (defaults.copies_dscp) push.session.outer_class_mask |= kDscpMask;
  push.exit_on_control_channel = has_word(flags, "cc-exit");
  push.exit_notify_count =
      std::clamp(number_of(reply, "explicit-exit-notify").value_or(defaults.exit_notify_count), 1u,
                 kExitNotifyMax);
  return push;
}

}  // namespace ringway

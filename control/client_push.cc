#include "control/client_push.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

namespace ringway {
namespace {

/// The longest that a server may have us wait: OpenVPN's limit of `keepalive`.
constexpr std::uint32_t kSecondsMax = 43'200;
constexpr unsigned kExitNotifyMax = 5;

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
  for (const std::string_view unsupported : {"aead-epoch", "dyn-tls-crypt"}) {
    if (has_word(flags, unsupported)) {
      return std::unexpected(
          fmt::format("the server asks for {}, which was not offered", unsupported));
    }
  }

  ClientPush push;
  push.admission.cipher = *cipher;
  push.admission.tls_key_export =
      has_word(flags, "tls-ekm") || find_option(reply, "key-derivation").value_or("") == "tls-ekm";
  push.peer_id = peer_id_of(reply);
  push.session.data_v2 = push.peer_id.is_set();
  push.session.ping_interval = seconds_of(reply, "ping").value_or(defaults.ping_interval);
  push.session.ping_restart = seconds_of(reply, "ping-restart")
                                  .or_else([&] { return seconds_of(reply, "ping-exit"); })
                                  .value_or(defaults.ping_restart);
  push.exit_on_control_channel = has_word(flags, "cc-exit");
  push.exit_notify_count =
      std::clamp(number_of(reply, "explicit-exit-notify").value_or(defaults.exit_notify_count), 1u,
                 kExitNotifyMax);
  return push;
}

}  // namespace ringway

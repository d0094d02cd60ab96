#include "control/channel/cipher_negotiation.h"

#include <algorithm>
#include <charconv>

#include "control/channel/options_string.h"

namespace ringway {
namespace {

bool list_contains(std::string_view list, DataCipher cipher) {
  for (std::size_t count = 0; !list.empty() && count < kCipherNamesMax; ++count) {
    const std::size_t end = std::min(list.find(':'), list.size());
    if (parse_data_cipher(list.substr(0, end)) == cipher) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

/// IV_NCP=2 is the promise of 2.4 clients to speak AES-GCM; they may send no list.
bool speaks_ncp(const PeerInfo& client) {
  const std::string_view text = client.find("IV_NCP").value_or("");
  unsigned level = 0;
  std::from_chars(text.data(), text.data() + text.size(), level);
  return level >= 2;
}

}  // namespace

std::optional<DataCipher> negotiate_cipher(std::span<const DataCipher> ours,
                                           std::optional<DataCipher> fallback,
                                           const PeerInfo& client,
                                           std::string_view client_options) {
  const auto list = client.find("IV_CIPHERS");
  const std::string_view implied = speaks_ncp(client) ? "AES-256-GCM:AES-128-GCM" : "";
  const auto named = find_in_options(client_options, "cipher");
  if (!takes_pushed_cipher(client) && !named) return fallback;
  const auto fixed = list ? std::nullopt : parse_data_cipher(named.value_or(""));
  for (const DataCipher cipher : ours) {
    if (list_contains(list.value_or(implied), cipher) || fixed == cipher) return cipher;
  }
  return std::nullopt;
}

bool takes_pushed_cipher(const PeerInfo& client) {
  return client.find("IV_CIPHERS").has_value() || speaks_ncp(client);
}

bool takes_tls_key_export(const PeerInfo& client) { return client.has(ProtoBit::TlsKeyExport); }

bool takes_data_epochs(const PeerInfo& client) {
  return client.has(ProtoBit::DataEpoch) && client.has(ProtoBit::DataV2) &&
         client.has(ProtoBit::ExitNotify) && takes_tls_key_export(client);
}

std::string cipher_list_text(std::span<const DataCipher> ciphers) {
  std::string text;
  for (const DataCipher cipher : ciphers) {
    if (!text.empty()) text += ':';
    text += name_of(cipher);
  }
  return text;
}

}  // namespace ringway

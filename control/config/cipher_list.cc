#include "control/config/cipher_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace ringway {
namespace {

constexpr std::string_view kCipherList = "AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305";

struct CipherList {
  std::vector<DataCipher> ciphers;
  /// Names without `?` that Ringway does not speak.
  std::vector<std::string> unknown;
};

void append_ciphers(CipherList& list, std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(':'), text.size());
    std::string_view name = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (name.empty()) continue;
    if (name == "DEFAULT") {
      append_ciphers(list, kCipherList);
      continue;
    }
    const bool is_optional = name.starts_with('?');
    if (is_optional) name.remove_prefix(1);
    const auto cipher = parse_data_cipher(name);
    if (cipher && std::ranges::find(list.ciphers, *cipher) == list.ciphers.end()) {
      list.ciphers.push_back(*cipher);
    } else if (!cipher && !is_optional) {
      list.unknown.emplace_back(name);
    }
  }
}

std::string join_ciphers(const std::vector<DataCipher>& ciphers) {
  std::string text;
  for (const DataCipher cipher : ciphers) {
    if (!text.empty()) text += ':';
    text += name_of(cipher);
  }
  return text;
}

}  // namespace

Result<std::vector<DataCipher>> cipher_list_of(const ConfigLine& line) {
  CipherList list;
  append_ciphers(list, line.parameter(1));
  const std::string usable =
      list.ciphers.empty() ? std::string(kCipherList) : join_ciphers(list.ciphers);
  if (!list.unknown.empty()) {
    return fail(
        fmt::format("`{}` names {}, which Ringway does not speak: all data ciphers are AEADs",
                    line.name(), list.unknown.front()),
        line.where,
        fmt::format("write `{} {}`; who knows none of them cannot connect", line.name(), usable));
  }
  if (list.ciphers.empty()) {
    return fail(fmt::format("`{}` names no cipher", line.name()), line.where,
                fmt::format("write `{} {}`", line.name(), usable));
  }
  return std::move(list.ciphers);
}

}  // namespace ringway

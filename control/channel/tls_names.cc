#include "control/channel/tls_names.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>

#include "base/check.h"
#include "control/channel/openssl_handles.h"

namespace ringway {
namespace {

constexpr std::string_view kUnknown = "(NONE)";

bool is_iana(std::string_view name) { return name.starts_with("TLS-") || name.starts_with("TLS_"); }

/// OpenSSL's name of an IANA name; empty when there is none.
std::string openssl_name(std::string_view iana) {
  std::string name(iana);
  std::ranges::replace(name, '-', '_');
  const char* translated = OPENSSL_cipher_name(name.c_str());
  return translated == nullptr || translated == kUnknown ? std::string{} : translated;
}

/// Whether OpenSSL makes anything of a keyword or name. A whole list with some unknown names in it
/// would be taken without a word.
bool means_something(std::string_view token) {
  token.remove_prefix(std::min(token.find_first_not_of("!-+"), token.size()));
  if (token.starts_with('@')) return true;
  const openssl::ContextPtr probe(SSL_CTX_new(TLS_method()));
  RW_ASSERT(probe != nullptr);
  const bool known = SSL_CTX_set_cipher_list(probe.get(), std::string(token).c_str()) == 1;
  ERR_clear_error();
  return known;
}

/// Calls `translate` for each name and joins what it returns.
template <typename Translate>
Result<std::string> translate_each(std::string_view list, const Translate& translate) {
  std::string joined;
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(':'), list.size());
    const std::string_view token = list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
    if (token.empty()) continue;
    const std::string translated = translate(token);
    if (translated.empty()) {
      return fail("there is no TLS cipher called \"" + std::string(token) + "\"");
    }
    if (!joined.empty()) joined += ':';
    joined += translated;
  }
  return joined;
}

}  // namespace

Result<std::string> translate_cipher_list(std::string_view list) {
  return translate_each(list, [](std::string_view token) {
    if (is_iana(token)) return openssl_name(token);
    return means_something(token) ? std::string(token) : std::string{};
  });
}

Result<std::string> translate_ciphersuites(std::string_view list) {
  return translate_each(list, [](std::string_view token) {
    // The library calls TLS 1.3 ciphers by their IANA names, and those of TLS 1.2 by others.
    const std::string name = openssl_name(token);
    return name.starts_with("TLS_") ? name : std::string{};
  });
}

}  // namespace ringway

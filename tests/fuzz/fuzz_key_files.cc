#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/base64.h"
#include "base/check.h"
#include "control/channel/certificates.h"
#include "dataplane/admission/static_key.h"
#include "dataplane/admission/tls_crypt_v2_key.h"

namespace {

using namespace ringway;

template <typename T>
bool is_read(const Result<T>& result) {
  if (result) return true;
  RW_ASSERT(!result.error().what.empty());
  return false;
}

}  // namespace

// The texts of keys, certificates and revocation lists, which an operator names and a stranger may
// have written: whatever they are, they are read or refused with a reason. The first byte says as
// what; a key that was read is written again the same. Of a certificate its names are looked at, as
// at a client's.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text = text_of(Bytes(data, size).subspan(1));
  switch (data[0] % 7) {
    case 0:
      if (const auto key = StaticKey::parse(text, "f"); is_read(key)) {
        const auto again = StaticKey::parse(key->to_text(), "f");
        RW_ASSERT(again.has_value());
        RW_ASSERT(again->to_text() == key->to_text());
      }
      break;
    case 1: static_cast<void>(is_read(TlsCryptV2ServerKey::parse(text, "f"))); break;
    case 2: static_cast<void>(is_read(TlsCryptV2ClientKey::parse(text, "f"))); break;
    case 3:
      if (const auto chain = parse_certificates(text, "f"); is_read(chain)) {
        RW_ASSERT(!chain->empty());
        for (const auto& certificate : *chain) {
          const PeerCertificate peer = describe_certificate(certificate.get());
          if (!subject_fault(certificate.get()).empty()) continue;
          for (const char c : peer.common_name) RW_ASSERT(static_cast<unsigned char>(c) >= 0x20);
          RW_ASSERT(peer.common_name.size() <= 64);
        }
      }
      break;
    case 4: static_cast<void>(is_read(parse_private_key(text, "f"))); break;
    case 5:
      if (const auto lists = parse_crls(text, "f", {}, UnixTime{1'795'458'636}); is_read(lists)) {
        for (const auto& revoked : list_revoked(*lists)) {
          RW_ASSERT(revoked.serial_decimal.find_first_not_of("-0123456789") == std::string::npos);
        }
      }
      break;
    default:
      if (const auto bytes = decode_base64(text)) {
        RW_ASSERT(decode_base64(encode_base64(*bytes)) == bytes);
      }
  }
  return 0;
}

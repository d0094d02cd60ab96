#include "dataplane/admission/tls_crypt_v2_key.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "base/check.h"
#include "base/cursor.h"
#include "dataplane/admission/tls_crypt_stream.h"

namespace ringway {
namespace {

constexpr std::size_t kTagSize = 32;
constexpr std::size_t kLengthSize = 2;
constexpr std::size_t kCounterBlockSize = 16;
/// Opcode, session id, replay id and time, tag: no wrapped control packet is shorter.
constexpr std::size_t kPacketSizeMin = 9 + 8 + kTagSize;

std::string label_of(PemKey kind) {
  switch (kind) {
    case PemKey::TlsCryptV2Server: return "OpenVPN tls-crypt-v2 server key";
    case PemKey::TlsCryptV2Client: return "OpenVPN tls-crypt-v2 client key";
    case PemKey::AuthToken: return "OpenVPN auth-token server key";
  }
  return {};
}

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using Bio = std::unique_ptr<BIO, FreeBio>;

/// One block of the file, in OpenSSL's memory; wiped when it goes.
struct PemBlock {
  PemBlock() = default;
  PemBlock(const PemBlock&) = delete;
  PemBlock& operator=(const PemBlock&) = delete;
  ~PemBlock() {
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, static_cast<std::size_t>(size));
  }
  [[nodiscard]] Bytes bytes() const { return {data, static_cast<std::size_t>(size)}; }

  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
};

/// The bytes of the block of that kind, given to `take`; or why there are none.
template <typename Take>
auto with_pem(std::string_view pem, std::string_view where, PemKey kind, Take take)
    -> decltype(take(Bytes())) {
  const bool is_server = kind == PemKey::TlsCryptV2Server;
  const std::string advice = is_server
                                 ? "a new one is made by: ringway genkey tls-crypt-v2-server FILE"
                                 : "ask the server's operator, who makes it by: ringway genkey "
                                   "tls-crypt-v2-client --server-key SERVERKEY FILE";
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  RW_ASSERT(bio != nullptr);
  PemBlock block;
  if (PEM_read_bio(bio.get(), &block.name, &block.header, &block.data, &block.size) != 1) {
    return fail("no block \"-----BEGIN " + label_of(kind) + "-----\" in the key file",
                std::string(where), advice);
  }
  if (label_of(kind) != block.name) {
    return fail("the key file holds a \"" + std::string(block.name) + "\" where a \"" +
                    label_of(kind) + "\" is needed",
                std::string(where), advice);
  }
  return take(block.bytes());
}

std::unexpected<Error> refuse_size(std::size_t size, std::string_view needed,
                                   std::string_view where) {
  return fail(
      "the key has " + std::to_string(size) + " bytes where " + std::string(needed) + " are needed",
      std::string(where), "the file was cut short or altered: copy it anew");
}

}  // namespace

std::optional<UnixTime> KeyMetadata::made_at() const {
  ByteReader reader(view());
  const std::uint8_t type = reader.u8();
  const std::uint64_t seconds = reader.u64();
  if (reader.truncated() || type != static_cast<std::uint8_t>(Type::Timestamp)) return std::nullopt;
  return UnixTime{static_cast<std::int64_t>(seconds)};
}

KeyMetadata KeyMetadata::timestamp(UnixTime made_at) {
  KeyMetadata metadata;
  metadata.size = 1 + sizeof(std::uint64_t);
  metadata.bytes[0] = static_cast<std::uint8_t>(Type::Timestamp);
  store_be64(metadata.bytes.data() + 1, static_cast<std::uint64_t>(made_at.seconds));
  return metadata;
}

KeyMetadata KeyMetadata::user(Bytes body) {
  KeyMetadata metadata;
  RW_ASSERT(body.size() < metadata.bytes.size());
  metadata.size = 1 + body.size();
  metadata.bytes[0] = static_cast<std::uint8_t>(Type::User);
  std::ranges::copy(body, metadata.bytes.begin() + 1);
  return metadata;
}

TlsCryptV2ServerKey::TlsCryptV2ServerKey(Bytes raw)
    : cipher_(raw.first(32)), hmac_(raw.subspan(64, 32), Digest::Sha256) {}

TlsCryptV2ServerKey TlsCryptV2ServerKey::from_bytes(Bytes raw) {
  RW_ASSERT(raw.size() == kSize);
  return TlsCryptV2ServerKey(raw);
}

Result<TlsCryptV2ServerKey> TlsCryptV2ServerKey::parse(std::string_view pem,
                                                       std::string_view where) {
  return with_pem(pem, where, PemKey::TlsCryptV2Server,
                  [&](Bytes raw) -> Result<TlsCryptV2ServerKey> {
                    if (raw.size() != kSize) return refuse_size(raw.size(), "128", where);
                    return from_bytes(raw);
                  });
}

std::vector<std::uint8_t> TlsCryptV2ServerKey::wrap(const StaticKey& key,
                                                    const KeyMetadata& metadata) const {
  std::vector<std::uint8_t> wrapped(kWrappedKeySizeMin + metadata.size);
  const MutableBytes all(wrapped);
  const MutableBytes tag = all.first(kTagSize);
  const MutableBytes sealed = all.subspan(kTagSize, StaticKey::kSize + metadata.size);
  const MutableBytes length = all.last(kLengthSize);
  store_be16(length.data(), static_cast<std::uint16_t>(wrapped.size()));
  hmac_.compute({length, key.bytes(), metadata.view()}, tag);

  std::ranges::copy(key.bytes(), sealed.begin());
  std::ranges::copy(metadata.view(), sealed.begin() + StaticKey::kSize);
  apply_keystream(cipher_.bytes(), tag.first(kCounterBlockSize), sealed, sealed);
  return wrapped;
}

std::expected<UnwrappedClientKey, Drop> TlsCryptV2ServerKey::unwrap(Bytes wrapped) const {
  if (wrapped.size() < kWrappedKeySizeMin || wrapped.size() > kWrappedKeySizeMax) {
    return std::unexpected(Drop::BadWrap);
  }
  const Bytes tag = wrapped.first(kTagSize);
  const Bytes length = wrapped.last(kLengthSize);
  const Bytes sealed = wrapped.subspan(kTagSize, wrapped.size() - kTagSize - kLengthSize);
  if (load_be16(length.data()) != wrapped.size()) return std::unexpected(Drop::BadWrap);

  std::array<std::uint8_t, StaticKey::kSize + kKeyMetadataSizeMax> room;
  const MutableBytes opened = MutableBytes(room).first(sealed.size());
  apply_keystream(cipher_.bytes(), tag.first(kCounterBlockSize), sealed, opened);
  std::expected<UnwrappedClientKey, Drop> client = std::unexpected(Drop::BadWrap);
  if (hmac_.verify({length, opened}, tag)) {
    client = UnwrappedClientKey{.key = StaticKey::from_bytes(opened.first(StaticKey::kSize)),
                                .metadata = {}};
    const Bytes metadata = opened.subspan(StaticKey::kSize);
    client->metadata.size = metadata.size();
    std::ranges::copy(metadata, client->metadata.bytes.begin());
  }
  wipe(opened);
  return client;
}

Result<TlsCryptV2ClientKey> TlsCryptV2ClientKey::parse(std::string_view pem,
                                                       std::string_view where) {
  return with_pem(
      pem, where, PemKey::TlsCryptV2Client, [&](Bytes raw) -> Result<TlsCryptV2ClientKey> {
        if (raw.size() < StaticKey::kSize + kWrappedKeySizeMin ||
            raw.size() > StaticKey::kSize + kWrappedKeySizeMax) {
          return refuse_size(raw.size(), "546 to 1280", where);
        }
        const Bytes wrapped = raw.subspan(StaticKey::kSize);
        if (load_be16(wrapped.last(kLengthSize).data()) != wrapped.size()) {
          return fail("the length at the end of the key does not agree with its size",
                      std::string(where), "the file was cut short or altered: copy it anew");
        }
        return TlsCryptV2ClientKey{.key = StaticKey::from_bytes(raw.first(StaticKey::kSize)),
                                   .wrapped = {wrapped.begin(), wrapped.end()}};
      });
}

std::expected<CutDatagram, Drop> cut_wrapped_key(Bytes datagram) {
  if (datagram.size() < kPacketSizeMin + kWrappedKeySizeMin) return std::unexpected(Drop::BadWrap);
  const std::size_t length = load_be16(datagram.last(kLengthSize).data());
  if (length < kWrappedKeySizeMin || length > kWrappedKeySizeMax ||
      length > datagram.size() - kPacketSizeMin) {
    return std::unexpected(Drop::BadWrap);
  }
  return CutDatagram{.packet = datagram.first(datagram.size() - length),
                     .wrapped = datagram.last(length)};
}

std::string pem_key_text(PemKey kind, Bytes raw) {
  const Bio bio(BIO_new(BIO_s_secmem()));
  RW_ASSERT(bio != nullptr);
  RW_ASSERT(PEM_write_bio(bio.get(), label_of(kind).c_str(), "", raw.data(),
                          static_cast<long>(raw.size())) > 0);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

}  // namespace ringway

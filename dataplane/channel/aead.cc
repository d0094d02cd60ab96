#include "dataplane/channel/aead.h"

#include <utility>

#include "base/check.h"

namespace ringway {

Aead::Aead(Use use, DataCipher cipher, Bytes key, const AeadEngines& engines)
    : use_(use), engine_(make_engine(use, cipher, key, engines)) {}

Aead::Engine Aead::make_engine(Use use, DataCipher cipher, Bytes key, const AeadEngines& engines) {
  RW_ASSERT(key.size() == key_size_of(cipher));
  const AeadEngine engine = engines.choice().of(cipher);
  RW_ASSERT(can_serve(engine, cipher));
  switch (engine) {
    case AeadEngine::IpsecMb:
      if (cipher == DataCipher::ChaCha20Poly1305) return IpsecMbChaCha(engines.ipsec_mb(), key);
      return IpsecMbGcm(engines.ipsec_mb(), use, cipher, key);
    case AeadEngine::Libsodium: return SodiumChaCha(key);
    case AeadEngine::Openssl: break;
  }
  return OpensslAead(use, cipher, key);
}

void Aead::seal(const AeadNonce& nonce, Bytes associated, Bytes plaintext, MutableBytes ciphertext,
                MutableBytes tag) {
  RW_ASSERT(use_ == Use::Seal);
  RW_ASSERT(ciphertext.size() == plaintext.size());
  RW_ASSERT(tag.size() == kAeadTagSize);
  std::visit([&](auto& engine) { engine.seal(nonce, associated, plaintext, ciphertext, tag); },
             engine_);
}

bool Aead::open(const AeadNonce& nonce, Bytes associated, Bytes ciphertext, Bytes tag,
                MutableBytes plaintext) {
  RW_ASSERT(use_ == Use::Open);
  RW_ASSERT(plaintext.size() == ciphertext.size());
  RW_ASSERT(tag.size() == kAeadTagSize);
  return std::visit(
      [&](auto& engine) { return engine.open(nonce, associated, ciphertext, tag, plaintext); },
      engine_);
}

}  // namespace ringway

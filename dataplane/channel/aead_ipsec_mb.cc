#include "dataplane/channel/aead_ipsec_mb.h"

#include <intel-ipsec-mb.h>

#include <cstring>

#include "base/check.h"

namespace ringway {
namespace {

static_assert(sizeof(gcm_key_data) <= SecretArena::kKeyScheduleSize);
static_assert(alignof(gcm_key_data) <= SecretArena::kSlotSize);

/// The same in constant time as equal_in_constant_time(), for one size and without its loop over
/// bytes, which would cost a fifth of what opening a small packet takes.
bool are_equal_tags(const std::uint8_t* a, const std::uint8_t* b) {
  std::array<std::uint64_t, 2> left;
  std::array<std::uint64_t, 2> right;
  static_assert(sizeof left == kAeadTagSize);
  std::memcpy(left.data(), a, kAeadTagSize);
  std::memcpy(right.data(), b, kAeadTagSize);
  return ((left[0] ^ right[0]) | (left[1] ^ right[1])) == 0;
}

struct ChaChaJob {
  IMB_CIPHER_DIRECTION direction;
  IMB_CHAIN_ORDER order;
  const std::uint8_t* key;
  const AeadNonce& nonce;
  Bytes associated;
  Bytes in;
  std::uint8_t* out;
  std::uint8_t* tag;
};

// The library's own checks of a job are left out: every field is filled here, from arguments that
// Aead has asserted.
void run(IMB_MGR* manager, const ChaChaJob& wanted) {
  IMB_JOB* job = IMB_GET_NEXT_JOB(manager);
  job->cipher_mode = IMB_CIPHER_CHACHA20_POLY1305;
  job->hash_alg = IMB_AUTH_CHACHA20_POLY1305;
  job->cipher_direction = wanted.direction;
  job->chain_order = wanted.order;
  job->enc_keys = wanted.key;
  job->dec_keys = wanted.key;
  job->key_len_in_bytes = 32;
  job->iv = wanted.nonce.data();
  job->iv_len_in_bytes = kAeadNonceSize;
  job->u.CHACHA20_POLY1305.aad = wanted.associated.data();
  job->u.CHACHA20_POLY1305.aad_len_in_bytes = wanted.associated.size();
  job->src = wanted.in.data();
  job->dst = wanted.out;
  job->cipher_start_src_offset_in_bytes = 0;
  job->msg_len_to_cipher_in_bytes = wanted.in.size();
  job->hash_start_src_offset_in_bytes = 0;
  job->msg_len_to_hash_in_bytes = wanted.in.size();
  job->auth_tag_output = wanted.tag;
  job->auth_tag_output_len_in_bytes = kAeadTagSize;

  IMB_JOB* done = IMB_SUBMIT_JOB_NOCHECK(manager);
  if (done == nullptr) done = IMB_FLUSH_JOB(manager);
  RW_ASSERT(done == job);
  RW_ASSERT(done->status == IMB_STATUS_COMPLETED);
}

}  // namespace

bool IpsecMb::is_built_in() { return true; }

void IpsecMb::Free::operator()(IMB_MGR* manager) const { free_mb_mgr(manager); }

Result<IpsecMb> IpsecMb::open() {
  IpsecMb library(alloc_mb_mgr(0));
  RW_ASSERT(library.manager_ != nullptr);
  IMB_MGR* const manager = library.manager();
  IMB_ARCH architecture = IMB_ARCH_NONE;
  init_mb_mgr_auto(manager, &architecture);
  if (const int error = imb_get_errno(manager); error != 0 || architecture == IMB_ARCH_NONE) {
    return fail(std::string("ipsec-mb does not run here: ") + imb_get_strerror(error), {},
                "write `aead-engine auto`");
  }
  const bool tests_itself = (manager->features & IMB_FEATURE_SELF_TEST) != 0;
  if (tests_itself && (manager->features & IMB_FEATURE_SELF_TEST_PASS) == 0) {
    return fail("ipsec-mb has failed its own test on this processor", {},
                "write `aead-engine openssl`");
  }
  return library;
}

IpsecMbGcm::IpsecMbGcm(const IpsecMb& library, AeadUse use, DataCipher cipher, Bytes key) {
  const IMB_MGR* const manager = library.manager();
  auto* const schedule = reinterpret_cast<gcm_key_data*>(schedule_.mutable_bytes().data());
  if (cipher == DataCipher::Aes128Gcm) {
    IMB_AES128_GCM_PRE(manager, key.data(), schedule);
    crypt_ = use == AeadUse::Seal ? manager->gcm128_enc : manager->gcm128_dec;
  } else {
    RW_ASSERT(cipher == DataCipher::Aes256Gcm);
    IMB_AES256_GCM_PRE(manager, key.data(), schedule);
    crypt_ = use == AeadUse::Seal ? manager->gcm256_enc : manager->gcm256_dec;
  }
}

void IpsecMbGcm::crypt(const AeadNonce& nonce, Bytes associated, Bytes in, MutableBytes out,
                       std::uint8_t* tag) const {
  gcm_context_data context;
  crypt_(reinterpret_cast<const gcm_key_data*>(schedule_.bytes().data()), &context, out.data(),
         in.data(), in.size(), nonce.data(), associated.data(), associated.size(), tag,
         kAeadTagSize);
}

void IpsecMbGcm::seal(const AeadNonce& nonce, Bytes associated, Bytes plaintext,
                      MutableBytes ciphertext, MutableBytes tag) const {
  crypt(nonce, associated, plaintext, ciphertext, tag.data());
}

bool IpsecMbGcm::open(const AeadNonce& nonce, Bytes associated, Bytes ciphertext, Bytes tag,
                      MutableBytes plaintext) const {
  std::array<std::uint8_t, kAeadTagSize> expected;
  crypt(nonce, associated, ciphertext, plaintext, expected.data());
  return are_equal_tags(expected.data(), tag.data());
}

void IpsecMbChaCha::seal(const AeadNonce& nonce, Bytes associated, Bytes plaintext,
                         MutableBytes ciphertext, MutableBytes tag) const {
  run(manager_, {.direction = IMB_DIR_ENCRYPT,
                 .order = IMB_ORDER_CIPHER_HASH,
                 .key = key_.bytes().data(),
                 .nonce = nonce,
                 .associated = associated,
                 .in = plaintext,
                 .out = ciphertext.data(),
                 .tag = tag.data()});
}

bool IpsecMbChaCha::open(const AeadNonce& nonce, Bytes associated, Bytes ciphertext, Bytes tag,
                         MutableBytes plaintext) const {
  std::array<std::uint8_t, kAeadTagSize> expected;
  run(manager_, {.direction = IMB_DIR_DECRYPT,
                 .order = IMB_ORDER_HASH_CIPHER,
                 .key = key_.bytes().data(),
                 .nonce = nonce,
                 .associated = associated,
                 .in = ciphertext,
                 .out = plaintext.data(),
                 .tag = expected.data()});
  return are_equal_tags(expected.data(), tag.data());
}

}  // namespace ringway

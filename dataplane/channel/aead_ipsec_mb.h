#pragma once

#include <memory>

#include "base/bytes.h"
#include "base/error.h"
#include "base/secret.h"
#include "dataplane/channel/aead_types.h"

struct IMB_MGR;
struct gcm_context_data;
struct gcm_key_data;

namespace ringway {

/// Intel's multi-buffer library, prepared for this processor: the manager that its ChaCha20 jobs
/// pass through, and the functions of its AES-GCM. This header is the same in builds without the
/// library, in which open() fails.
///
/// Pure; move-only. Owned by the AeadEngines of one thread, because a job changes the manager. It
/// holds no key between two packets.
class IpsecMb {
 public:
  [[nodiscard]] static bool is_built_in();
  /// Allocates (the manager has 200 KiB). The error says what is missing: the library, or
  /// instructions of the processor.
  static Result<IpsecMb> open();

  [[nodiscard]] IMB_MGR* manager() const { return manager_.get(); }

 private:
  struct Free {
    void operator()(IMB_MGR* manager) const;
  };
  explicit IpsecMb(IMB_MGR* manager) : manager_(manager) {}

  std::unique_ptr<IMB_MGR, Free> manager_;
};

/// One AES-GCM key on ipsec-mb, through the direct functions for one buffer: faster than jobs, and
/// than batches of jobs, at every size (docs/decisions/0004).
///
/// Pure; move-only; the expanded key is in the SecretArena. Borrows nothing of the IpsecMb that it
/// is made with. See Aead for what seal() and open() take.
class IpsecMbGcm {
 public:
  IpsecMbGcm(const IpsecMb& library, AeadUse use, DataCipher cipher, Bytes key);

  void seal(const AeadNonce& nonce, Bytes associated, Bytes plaintext, MutableBytes ciphertext,
            MutableBytes tag) const;
  [[nodiscard]] bool open(const AeadNonce& nonce, Bytes associated, Bytes ciphertext, Bytes tag,
                          MutableBytes plaintext) const;

 private:
  using Crypt = void (*)(const gcm_key_data* key, gcm_context_data* context, std::uint8_t* out,
                         const std::uint8_t* in, std::uint64_t size, const std::uint8_t* nonce,
                         const std::uint8_t* associated, std::uint64_t associated_size,
                         std::uint8_t* tag, std::uint64_t tag_size);

  void crypt(const AeadNonce& nonce, Bytes associated, Bytes in, MutableBytes out,
             std::uint8_t* tag) const;

  Secret<SecretArena::kKeyScheduleSize> schedule_;
  Crypt crypt_;
};

/// One ChaCha20-Poly1305 key on ipsec-mb, through its job interface: a job is done when it has been
/// submitted, and takes half of the time of the direct functions for small packets, as these make
/// the Poly1305 key in a pass of its own (docs/decisions/0004).
///
/// Pure; move-only; the key is in the SecretArena. Borrows the manager of `library`, which outlives
/// it; used on the thread of `library`. See Aead for what seal() and open() take.
class IpsecMbChaCha {
 public:
  IpsecMbChaCha(const IpsecMb& library, Bytes key) : manager_(library.manager()), key_(key) {}

  void seal(const AeadNonce& nonce, Bytes associated, Bytes plaintext, MutableBytes ciphertext,
            MutableBytes tag) const;
  [[nodiscard]] bool open(const AeadNonce& nonce, Bytes associated, Bytes ciphertext, Bytes tag,
                          MutableBytes plaintext) const;

 private:
  IMB_MGR* manager_;
  Secret<32> key_;
};

}  // namespace ringway

#pragma once

#include <array>
#include <optional>

#include "dataplane/channel/aead_engine.h"
#include "dataplane/channel/aead_ipsec_mb.h"

namespace ringway {

// The defaults below stand in the order of DataCipher.
static_assert(static_cast<int>(DataCipher::Aes128Gcm) == 0 &&
              static_cast<int>(DataCipher::Aes256Gcm) == 1);

/// Which engine serves which cipher. Pure value. By default the two libraries that every build and
/// every processor has; choose_aead_engines() finds a better one.
class AeadChoice {
 public:
  /// `engine` for everything that it can serve.
  static AeadChoice all(AeadEngine engine);

  [[nodiscard]] AeadEngine of(DataCipher cipher) const { return engines_[index(cipher)]; }
  /// Asserts that `engine` can serve `cipher` and is built in.
  void set(DataCipher cipher, AeadEngine engine);
  [[nodiscard]] bool uses(AeadEngine engine) const;

 private:
  static constexpr std::size_t index(DataCipher cipher) { return static_cast<std::size_t>(cipher); }

  std::array<AeadEngine, kDataCiphers.size()> engines_{AeadEngine::Openssl, AeadEngine::Openssl,
                                                       AeadEngine::Libsodium};
};

/// The engines of one thread, and what they need beside keys: ipsec-mb's manager, when it serves.
///
/// Pure; move-only. Owned by a Datapath, or by whoever runs ClientCores; used on that thread, and
/// outlives every Aead that was made with it. Allocates when it is made. The default holds nothing,
/// so that keys made with it may outlive it.
class AeadEngines {
 public:
  AeadEngines() = default;
  /// Asserts that what is chosen runs here: a choice comes from engines that have passed their
  /// test.
  explicit AeadEngines(const AeadChoice& choice);

  [[nodiscard]] const AeadChoice& choice() const { return choice_; }
  /// Asserts that ipsec-mb serves a cipher.
  [[nodiscard]] const IpsecMb& ipsec_mb() const;

 private:
  AeadChoice choice_;
  std::optional<IpsecMb> ipsec_mb_;
};

}  // namespace ringway

#include "dataplane/channel/aead_engines.h"

#include <algorithm>

#include "base/check.h"

namespace ringway {

AeadChoice AeadChoice::all(AeadEngine engine) {
  AeadChoice choice;
  for (const DataCipher cipher : kDataCiphers) {
    if (can_serve(engine, cipher)) choice.set(cipher, engine);
  }
  return choice;
}

void AeadChoice::set(DataCipher cipher, AeadEngine engine) {
  RW_ASSERT(is_built_in(engine));
  RW_ASSERT(can_serve(engine, cipher));
  engines_[index(cipher)] = engine;
}

bool AeadChoice::uses(AeadEngine engine) const {
  return std::ranges::find(engines_, engine) != engines_.end();
}

AeadEngines::AeadEngines(const AeadChoice& choice) : choice_(choice) {
  if (!choice.uses(AeadEngine::IpsecMb)) return;
  Result<IpsecMb> opened = IpsecMb::open();
  RW_ASSERT(opened.has_value());
  ipsec_mb_.emplace(std::move(*opened));
}

const IpsecMb& AeadEngines::ipsec_mb() const {
  RW_ASSERT(ipsec_mb_.has_value());
  return *ipsec_mb_;
}

}  // namespace ringway

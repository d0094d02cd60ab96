#include "dataplane/channel/aead_engine.h"

#include <algorithm>

#include "dataplane/channel/aead_ipsec_mb.h"

namespace ringway {

std::optional<AeadEngine> parse_aead_engine(std::string_view name) {
  const auto* const found = std::ranges::find_if(
      kAeadEngines, [&](AeadEngine engine) { return name_of(engine) == name; });
  if (found == kAeadEngines.end()) return std::nullopt;
  return *found;
}

bool is_built_in(AeadEngine engine) {
  return engine != AeadEngine::IpsecMb || IpsecMb::is_built_in();
}

}  // namespace ringway

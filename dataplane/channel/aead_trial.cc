#include "dataplane/channel/aead_trial.h"

#include <algorithm>
#include <string>

namespace ringway {
namespace {

const AeadTrial* fastest(std::span<const AeadTrial> trials, DataCipher cipher) {
  const AeadTrial* best = nullptr;
  for (const AeadTrial& trial : trials) {
    if (!trial.passed || trial.cipher != cipher) continue;
    if (best == nullptr || trial.packet_ns < best->packet_ns) best = &trial;
  }
  return best;
}

std::unexpected<Error> cannot_serve(AeadEngine engine, DataCipher cipher) {
  return fail("`aead-engine " + std::string(name_of(engine)) + "` cannot serve " +
                  std::string(name_of(cipher)) + ", which `data-ciphers` names",
              {}, "write `aead-engine auto`, or take the cipher out of `data-ciphers`");
}

std::unexpected<Error> does_not_work(AeadEngine engine, DataCipher cipher) {
  const std::string name(name_of(engine));
  if (!is_built_in(engine)) {
    return fail("`aead-engine " + name + "`: this Ringway is built without " + name, {},
                "write `aead-engine auto`, or build it where the library is");
  }
  return fail("`aead-engine " + name + "` does not work on this machine for " +
                  std::string(name_of(cipher)),
              {}, "write `aead-engine auto`");
}

}  // namespace

Result<AeadChoice> choose_aead_engines(std::span<const AeadTrial> trials,
                                       std::optional<AeadEngine> wanted,
                                       std::span<const DataCipher> ciphers) {
  AeadChoice choice;
  for (const DataCipher cipher : kDataCiphers) {
    const AeadTrial* const best = fastest(trials, cipher);
    if (best != nullptr) choice.set(cipher, best->engine);
  }
  for (const DataCipher cipher : ciphers) {
    if (!wanted && fastest(trials, cipher) == nullptr) {
      return fail("no library on this machine computes " + std::string(name_of(cipher)), {},
                  "take it out of `data-ciphers`");
    }
    if (!wanted) continue;
    if (!can_serve(*wanted, cipher)) return cannot_serve(*wanted, cipher);
    const AeadTrial* const trial = find_trial(trials, cipher, *wanted);
    if (trial == nullptr || !trial->passed) return does_not_work(*wanted, cipher);
    choice.set(cipher, *wanted);
  }
  return choice;
}

const AeadTrial* find_trial(std::span<const AeadTrial> trials, DataCipher cipher,
                            AeadEngine engine) {
  const auto found = std::ranges::find_if(trials, [&](const AeadTrial& trial) {
    return trial.cipher == cipher && trial.engine == engine;
  });
  return found == trials.end() ? nullptr : &*found;
}

}  // namespace ringway

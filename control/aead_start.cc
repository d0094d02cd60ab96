#include "control/aead_start.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/log.h"
#include "base/time.h"
#include "dataplane/channel/aead.h"
#include "dataplane/channel/aead_self_test.h"

namespace ringway {
namespace {

constexpr std::size_t kPacketSize = 1400;
/// The shortest of several rounds: what disturbs a machine only ever makes a round longer.
constexpr int kRounds = 8;
constexpr int kPacketsPerRound = 32;

/// Nanoseconds for sealing or opening one packet, on average of the two.
double measure(DataCipher cipher, const AeadEngines& engines) {
  const std::array<std::uint8_t, 32> key{1};
  Aead sealer(AeadUse::Seal, cipher, Bytes(key).first(key_size_of(cipher)), engines);
  Aead opener(AeadUse::Open, cipher, Bytes(key).first(key_size_of(cipher)), engines);
  const std::array<std::uint8_t, 8> associated{};
  std::array<std::uint8_t, kPacketSize> text{};
  std::array<std::uint8_t, kAeadTagSize> tag{};
  AeadNonce nonce{};
  bool opened = true;
  Duration best = Duration::max();
  for (int round = 0; round < kRounds; ++round) {
    const Instant begin = monotonic_now();
    for (int i = 0; i < kPacketsPerRound; ++i) {
      ++nonce[0];
      sealer.seal(nonce, associated, text, text, tag);
      opened = opener.open(nonce, associated, text, tag, text) && opened;
    }
    best = std::min(best, monotonic_now() - begin);
  }
  if (!opened) log::error("{} does not open what it sealed", name_of(cipher));
  return static_cast<double>(best.count()) / (2.0 * kPacketsPerRound);
}

AeadTrial try_engine(AeadEngine engine, DataCipher cipher) {
  AeadTrial trial{.engine = engine, .cipher = cipher};
  AeadChoice choice;
  choice.set(cipher, engine);
  const AeadEngines engines(choice);
  if (const Result<void> tested = test_aead(cipher, engines); !tested) {
    log::error("{}", tested.error().to_string());
    return trial;
  }
  trial.passed = true;
  trial.packet_ns = measure(cipher, engines);
  return trial;
}

/// A library may be there, and the processor still lack what it needs.
bool runs_here(AeadEngine engine) {
  if (!is_built_in(engine)) return false;
  if (engine != AeadEngine::IpsecMb) return true;
  const Result<IpsecMb> opened = IpsecMb::open();
  if (!opened) log::warning("{}", opened.error().to_string());
  return opened.has_value();
}

}  // namespace

std::vector<AeadTrial> try_aead_engines() {
  std::vector<AeadTrial> trials;
  for (const AeadEngine engine : kAeadEngines) {
    if (!runs_here(engine)) continue;
    for (const DataCipher cipher : kDataCiphers) {
      if (can_serve(engine, cipher)) trials.push_back(try_engine(engine, cipher));
    }
  }
  return trials;
}

Result<AeadChoice> choose_aead(std::optional<AeadEngine> wanted,
                               std::span<const DataCipher> ciphers) {
  const std::vector<AeadTrial> trials = try_aead_engines();
  Result<AeadChoice> choice = choose_aead_engines(trials, wanted, ciphers);
  if (choice) log::info("aead: {}", aead_line(*choice, trials, ciphers));
  return choice;
}

std::string aead_line(const AeadChoice& choice, std::span<const AeadTrial> trials,
                      std::span<const DataCipher> ciphers) {
  std::string line;
  for (const DataCipher cipher : ciphers) {
    const AeadTrial* const trial = find_trial(trials, cipher, choice.of(cipher));
    line += fmt::format("{}{} by {}, {:.0f} ns for 1,400 bytes", line.empty() ? "" : "; ",
                        name_of(cipher), name_of(choice.of(cipher)),
                        trial == nullptr ? 0.0 : trial->packet_ns);
  }
  return line;
}

std::string built_in_engines() {
  std::string names;
  for (const AeadEngine engine : kAeadEngines) {
    if (!is_built_in(engine)) continue;
    if (!names.empty()) names += ", ";
    names += name_of(engine);
  }
  return names;
}

}  // namespace ringway

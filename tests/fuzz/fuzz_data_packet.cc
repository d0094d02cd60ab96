#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "base/cursor.h"
#include "dataplane/channel/data_packet.h"
#include "dataplane/channel/keepalive.h"
#include "tests/dataplane/channel/test_keys.h"

// The data packet codec under hostile bytes. The first byte of the input chooses the cipher, the
// engine at each end, the format (that of epochs where the low four bits are 12 to 15) and what is
// done with the rest:
//   - it arrives as a datagram: nothing opens that was not sealed;
//   - it is a payload: sealed, it opens to itself, once; and with any one byte changed, never.

namespace ringway {
namespace {

void arrive(KeyState& key, Bytes input) {
  std::vector<std::uint8_t> datagram(input.begin(), input.end());
  const auto header = parse_data_header(datagram);
  if (!header) return;
  RW_ASSERT(header->size() <= datagram.size());
  const auto opened = open_packet(key, *header, datagram);
  RW_ASSERT(!opened);
  const bool may_name_no_epoch = key.epochs() != nullptr && opened.error() == Drop::UnknownKey;
  RW_ASSERT(opened.error() == Drop::Truncated || opened.error() == Drop::BadTag ||
            may_name_no_epoch);
}

/// One engine at each end: what one seals, the other opens.
struct Ends {
  const AeadEngines& ours;
  const AeadEngines& theirs;
};

/// What is chosen of the keys.
struct Kind {
  DataCipher cipher;
  bool in_epochs;

  [[nodiscard]] DataKeys of(DataKeys keys) const {
    keys.in_epochs = in_epochs;
    return keys;
  }
};

/// Seals until the epoch is as late as a peer opens that has prepared once.
void go_on(KeyState& key, unsigned epochs) {
  key.prepare();
  if (key.epochs() == nullptr) return;
  std::array<std::uint8_t, kDataOverheadMax + 1> out;
  while (key.epochs()->seal_epoch() <= epochs) {
    RW_ASSERT(seal_packet(key, {}, std::array<std::uint8_t, 1>{}, out).has_value());
    key.prepare();
  }
}

void round_trip(const DataHeader& header, const Kind& kind, const Ends& ends, Bytes input) {
  ByteReader reader(input);
  const std::size_t place = reader.u16();
  const std::uint8_t change = reader.u8();
  const Bytes payload = reader.take_rest();
  if (reader.truncated() || payload.empty()) return;

  const KeyLimits limits{.last_epoch_counter = 1};
  KeyState ours(kind.of(test::make_keys(header.key_id, 1, kind.cipher)), limits, ends.ours);
  KeyState theirs(kind.of(test::make_peer_keys(header.key_id, 1, kind.cipher)), {}, ends.theirs);
  theirs.prepare();
  go_on(ours, static_cast<unsigned>(place >> 8) % EpochKeys::kFutureMax);
  std::vector<std::uint8_t> out(payload.size() + kDataOverheadMax);
  const auto sealed = seal_packet(ours, header, payload, out);
  RW_ASSERT(sealed.has_value());
  RW_ASSERT(sealed->size() ==
            payload.size() + (kind.in_epochs ? kEpochOverhead : data_overhead(header.size())));

  std::vector<std::uint8_t> changed(sealed->begin(), sealed->end());
  const std::size_t at = place % changed.size();
  changed[at] ^= change;
  // DATA_V1 does not authenticate its first byte; nothing else may differ.
  const bool matters = change != 0 && (header.opcode == Opcode::DataV2 || at > 0);
  const auto forged = open_packet(theirs, header, changed);
  RW_ASSERT(forged.has_value() != matters);

  std::vector<std::uint8_t> again(sealed->begin(), sealed->end());
  const auto opened = open_packet(theirs, header, again);
  // It counts as a replay exactly when the first try has opened it.
  RW_ASSERT(opened.has_value() == matters);
  const auto& text = matters ? opened : forged;
  RW_ASSERT(std::ranges::equal(*text, payload));
  (void)classify_payload(*text);
}

}  // namespace
}  // namespace ringway

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ringway;
  if (size == 0) return 0;
  constexpr DataCipher kCiphers[] = {DataCipher::Aes128Gcm, DataCipher::Aes256Gcm,
                                     DataCipher::ChaCha20Poly1305};
  const DataCipher cipher = kCiphers[(data[0] & 0x0f) % 3];
  // Made once: opening ipsec-mb tests it.
  static const AeadEngines openssl;
  static const AeadEngines fastest(IpsecMb::open() ? AeadChoice::all(AeadEngine::IpsecMb)
                                                   : AeadChoice::all(AeadEngine::Openssl));
  const bool in_epochs = (data[0] & 0x0f) >= 12;
  const unsigned engines = in_epochs ? data[0] >> 4 & 3 : (data[0] & 0x0f) / 3;
  const Kind kind{.cipher = cipher, .in_epochs = in_epochs};
  const Ends ends{.ours = engines & 1 ? openssl : fastest,
                  .theirs = engines & 2 ? openssl : fastest};
  const Bytes rest{data + 1, size - 1};
  if (data[0] & 0x80) {
    KeyState key(kind.of(test::make_keys({0}, 1, cipher)), {}, ends.theirs);
    key.prepare();
    arrive(key, rest);
    return 0;
  }
  const bool v1 = !in_epochs && (data[0] & 0x40) != 0;
  const DataHeader header{.opcode = v1 ? Opcode::DataV1 : Opcode::DataV2,
                          .key_id = {static_cast<std::uint8_t>(data[0] >> 4 & 3)},
                          .peer_id = v1 ? PeerId{} : PeerId{0x010203}};
  round_trip(header, kind, ends, rest);
  return 0;
}

#include "dataplane/channel/data_packet.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/dataplane/channel/test_keys.h"
#include "tests/support/vectors.h"

namespace ringway {
namespace {

using test::to_hex;

constexpr const char* kCaptured[] = {"data-v2-aes-256-gcm-prf-c2s-0",
                                     "data-v2-aes-256-gcm-prf-c2s-1",
                                     "data-v2-aes-256-gcm-prf-s2c-0",
                                     "data-v2-aes-256-gcm-prf-s2c-1",
                                     "data-v2-chacha20-poly1305-prf-c2s-0",
                                     "data-v2-chacha20-poly1305-prf-c2s-1",
                                     "data-v2-chacha20-poly1305-prf-s2c-0",
                                     "data-v2-chacha20-poly1305-prf-s2c-1",
                                     "data-v2-aes-128-gcm-ekm-c2s-0",
                                     "data-v2-aes-128-gcm-ekm-c2s-1",
                                     "data-v2-aes-128-gcm-ekm-s2c-0",
                                     "data-v2-aes-128-gcm-ekm-s2c-1",
                                     "occ-exit"};

constexpr DataHeader kV2{.opcode = Opcode::DataV2, .key_id = {2}, .peer_id = {0x010203}};
constexpr DataHeader kV1{.opcode = Opcode::DataV1, .key_id = {2}, .peer_id = {}};

std::uint32_t packet_id_of(Bytes v2_datagram) { return load_be32(v2_datagram.data() + 4); }

TEST(DataPacket, OpensWhatOpenvpnSealed) {
  for (const char* id : kCaptured) {
    const auto vector = test::load_vector(id);
    KeyState key(test::keys_of_vector(vector));
    auto datagram = vector.bytes("packet");

    const auto header = parse_data_header(datagram);
    ASSERT_TRUE(header) << id;
    const auto payload = open_packet(key, *header, datagram);

    ASSERT_TRUE(payload) << id;
    EXPECT_EQ(to_hex(*payload), vector.text("plaintext")) << id;
  }
}

TEST(DataPacket, SealsByteForByteWhatOpenvpnSealed) {
  for (const char* id : kCaptured) {
    const auto vector = test::load_vector(id);
    KeyState key(test::keys_of_vector(vector));
    const auto expected = vector.bytes("packet");
    const auto header = parse_data_header(expected);
    std::vector<std::uint8_t> out(expected.size());
    for (auto i = packet_id_of(expected); i > 1; --i) ASSERT_TRUE(key.take_packet_id());

    const auto datagram = seal_packet(key, *header, vector.bytes("plaintext"), out);

    ASSERT_TRUE(datagram) << id;
    EXPECT_EQ(to_hex(*datagram), to_hex(expected)) << id;
  }
}

TEST(DataPacket, RoundTripsInBothFormatsAndEveryCipher) {
  for (const DataHeader& header : {kV1, kV2}) {
    for (const DataCipher cipher :
         {DataCipher::Aes128Gcm, DataCipher::Aes256Gcm, DataCipher::ChaCha20Poly1305}) {
      KeyState ours(test::make_keys({2}, 1, cipher));
      KeyState theirs(test::make_peer_keys({2}, 1, cipher));
      for (std::size_t size : {1u, 16u, 40u, 1400u, 1500u}) {
        const std::vector<std::uint8_t> payload(size, 0x45);
        std::vector<std::uint8_t> out(size + kDataOverheadMax);

        const auto datagram = seal_packet(ours, header, payload, out);
        ASSERT_TRUE(datagram);
        EXPECT_EQ(datagram->size(), size + data_overhead(header.size()));
        const auto opened = open_packet(theirs, header, *datagram);

        ASSERT_TRUE(opened);
        EXPECT_EQ(to_hex(*opened), to_hex(payload));
      }
    }
  }
}

TEST(DataPacket, SealsAPayloadThatAlreadyLiesInPlace) {
  KeyState apart(test::make_keys({2}, 1));
  KeyState in_place(test::make_keys({2}, 1));
  const std::vector<std::uint8_t> payload(100, 0x60);
  std::vector<std::uint8_t> out_apart(payload.size() + kDataOverheadMax);
  std::vector<std::uint8_t> out_in_place(out_apart.size());
  const MutableBytes inside =
      MutableBytes(out_in_place).subspan(data_overhead(kV2.size()), payload.size());
  std::ranges::copy(payload, inside.begin());

  ASSERT_TRUE(seal_packet(apart, kV2, payload, out_apart));
  ASSERT_TRUE(seal_packet(in_place, kV2, inside, out_in_place));

  EXPECT_EQ(out_apart, out_in_place);
}

TEST(DataPacket, RefusesEveryTruncation) {
  for (const DataHeader& header : {kV1, kV2}) {
    KeyState ours(test::make_keys({2}, 1));
    const std::vector<std::uint8_t> payload(60, 0x45);
    std::vector<std::uint8_t> out(payload.size() + kDataOverheadMax);
    const auto datagram = seal_packet(ours, header, payload, out);
    ASSERT_TRUE(datagram);

    for (std::size_t size = header.size(); size < datagram->size(); ++size) {
      KeyState theirs(test::make_peer_keys({2}, 1));
      std::vector<std::uint8_t> cut(datagram->begin(),
                                    datagram->begin() + static_cast<std::ptrdiff_t>(size));
      const auto opened = open_packet(theirs, header, cut);
      ASSERT_FALSE(opened) << size;
      EXPECT_EQ(opened.error(),
                size <= data_overhead(header.size()) ? Drop::Truncated : Drop::BadTag)
          << size;
    }
  }
}

TEST(DataPacket, OfV2AuthenticatesItsKeyIdAndPeerId) {
  KeyState ours(test::make_keys({2}, 1));
  std::array<std::uint8_t, 64> out{};
  const auto datagram = seal_packet(ours, kV2, std::array<std::uint8_t, 20>{}, out);
  ASSERT_TRUE(datagram);

  for (std::size_t byte = 0; byte < 4; ++byte) {
    KeyState theirs(test::make_peer_keys({2}, 1));
    std::vector<std::uint8_t> changed(datagram->begin(), datagram->end());
    changed[byte] ^= 1;
    EXPECT_EQ(open_packet(theirs, kV2, changed).error(), Drop::BadTag) << byte;
  }
}

TEST(DataPacket, OfV1DoesNotAuthenticateItsHeader) {
  KeyState ours(test::make_keys({2}, 1));
  KeyState theirs(test::make_peer_keys({2}, 1));
  std::array<std::uint8_t, 64> out{};
  const auto datagram = seal_packet(ours, kV1, std::array<std::uint8_t, 20>{}, out);
  ASSERT_TRUE(datagram);
  (*datagram)[0] ^= 1;

  EXPECT_TRUE(open_packet(theirs, kV1, *datagram));
}

// Security goal A19.
TEST(DataPacket, IsOpenedOnce) {
  KeyState ours(test::make_keys({2}, 1));
  KeyState theirs(test::make_peer_keys({2}, 1));
  std::array<std::uint8_t, 64> out{};
  const auto datagram = seal_packet(ours, kV2, std::array<std::uint8_t, 20>{}, out);
  ASSERT_TRUE(datagram);
  std::vector<std::uint8_t> first(datagram->begin(), datagram->end());
  std::vector<std::uint8_t> second = first;

  EXPECT_TRUE(open_packet(theirs, kV2, first));
  EXPECT_EQ(open_packet(theirs, kV2, second).error(), Drop::Replay);
}

/// The keys of the captured session of OpenVPN 2.7.6, as its server and its client have them.
DataKeys captured_epochs(bool is_server) {
  const std::vector<std::uint8_t> block = test::load_vector("epoch-keys").bytes("datakeys_256");
  DataKeys keys = test::make_keys({0}, 1);
  keys.in_epochs = true;
  test::fill_direction_key(is_server ? keys.open : keys.seal, Bytes(block).first(32), {});
  test::fill_direction_key(is_server ? keys.seal : keys.open, Bytes(block).subspan(128, 32), {});
  return keys;
}

DataKeys in_epochs(DataKeys keys) {
  keys.in_epochs = true;
  return keys;
}

TEST(DataPacket, OfTheEpochFormatIsByteForByteOpenvpns) {
  for (const bool is_server : {true, false}) {
    KeyState sealer(captured_epochs(is_server));
    KeyState opener(captured_epochs(!is_server));
    for (const char* number : {"0", "1"}) {
      const std::string id =
          std::string("data-epoch-aes-256-gcm-") + (is_server ? "s2c-" : "c2s-") + number;
      const auto vector = test::load_vector(id);
      auto captured = vector.bytes("packet");
      const auto header = parse_data_header(captured);
      ASSERT_TRUE(header) << id;
      std::vector<std::uint8_t> out(captured.size());

      const auto sealed = seal_packet(sealer, *header, vector.bytes("plaintext"), out);
      ASSERT_TRUE(sealed) << id;
      EXPECT_EQ(to_hex(*sealed), to_hex(captured)) << id;

      const auto opened = open_packet(opener, *header, captured);
      ASSERT_TRUE(opened) << id;
      EXPECT_EQ(to_hex(*opened), vector.text("plaintext")) << id;
    }
  }
}

TEST(DataPacket, OfTheEpochFormatRoundTripsInPlaceUnderEveryCipherAndEngine) {
  for (const AeadEngine engine : kAeadEngines) {
    for (const DataCipher cipher : kDataCiphers) {
      if (!is_built_in(engine) || !can_serve(engine, cipher)) continue;
      const AeadEngines engines(AeadChoice::all(engine));
      KeyState ours(in_epochs(test::make_keys({2}, 1, cipher)), {}, engines);
      KeyState theirs(in_epochs(test::make_peer_keys({2}, 1, cipher)));
      for (std::size_t size : {1u, 16u, 40u, 1400u, 1500u}) {
        const std::vector<std::uint8_t> payload(size, 0x45);
        std::vector<std::uint8_t> out(size + kEpochOverhead);
        const MutableBytes inside = MutableBytes(out).subspan(kEpochPayloadOffset, size);
        std::ranges::copy(payload, inside.begin());

        const auto datagram = seal_packet(ours, kV2, inside, out);
        ASSERT_TRUE(datagram);
        EXPECT_EQ(datagram->size(), out.size());
        const auto opened = open_packet(theirs, kV2, *datagram);

        ASSERT_TRUE(opened) << name_of(engine) << name_of(cipher) << size;
        EXPECT_EQ(to_hex(*opened), to_hex(payload));
      }
    }
  }
}

TEST(DataPacket, OfTheEpochFormatAuthenticatesEveryByte) {
  KeyState ours(in_epochs(test::make_keys({2}, 1)));
  std::array<std::uint8_t, 64> out{};
  const auto datagram = seal_packet(ours, kV2, std::array<std::uint8_t, 20>{}, out);
  ASSERT_TRUE(datagram);

  for (std::size_t byte = 0; byte < datagram->size(); ++byte) {
    KeyState theirs(in_epochs(test::make_peer_keys({2}, 1)));
    std::vector<std::uint8_t> changed(datagram->begin(), datagram->end());
    changed[byte] ^= 0x80;
    const bool names_another_epoch = byte == 4 || byte == 5;
    EXPECT_EQ(open_packet(theirs, kV2, changed).error(),
              names_another_epoch ? Drop::UnknownKey : Drop::BadTag)
        << byte;
  }
}

TEST(DataPacket, OfTheEpochFormatIsRefusedWhenItIsCutOff) {
  KeyState ours(in_epochs(test::make_keys({2}, 1)));
  std::array<std::uint8_t, 64> out{};
  const auto datagram = seal_packet(ours, kV2, std::array<std::uint8_t, 20>{}, out);
  ASSERT_TRUE(datagram);

  for (std::size_t size = kV2.size(); size < datagram->size(); ++size) {
    KeyState theirs(in_epochs(test::make_peer_keys({2}, 1)));
    std::vector<std::uint8_t> cut(datagram->begin(),
                                  datagram->begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(open_packet(theirs, kV2, cut).error(),
              size <= kEpochOverhead ? Drop::Truncated : Drop::BadTag)
        << size;
  }
}

TEST(DataPacket, OfTheEpochFormatIsNotTakenForDataV1) {
  KeyState theirs(in_epochs(test::make_peer_keys({2}, 1)));
  std::array<std::uint8_t, 64> datagram{0x32};

  EXPECT_EQ(open_packet(theirs, kV1, datagram).error(), Drop::BadTag);
}

TEST(DataPacket, OfTheEpochFormatSpendsNoPacketIdWhenItDoesNotFit) {
  KeyState key(in_epochs(test::make_keys({2}, 1)));
  std::array<std::uint8_t, 47> out{};

  EXPECT_EQ(seal_packet(key, kV2, std::array<std::uint8_t, 20>{}, out).error(), Drop::TooBig);
  EXPECT_EQ(seal_packet(key, kV2, {}, MutableBytes(out).first(3)).error(), Drop::TooBig);
  EXPECT_EQ(key.take_packet_id(), PacketId::of(1, 1));
}

TEST(DataPacket, SpendsNoPacketIdWhenItDoesNotFit) {
  KeyState key(test::make_keys({2}, 1));
  std::array<std::uint8_t, 43> out{};

  EXPECT_EQ(seal_packet(key, kV2, std::array<std::uint8_t, 20>{}, out).error(), Drop::TooBig);
  EXPECT_EQ(seal_packet(key, kV2, {}, MutableBytes(out).first(3)).error(), Drop::TooBig);
  EXPECT_EQ(key.take_packet_id(), PacketId{1});
}

}  // namespace
}  // namespace ringway

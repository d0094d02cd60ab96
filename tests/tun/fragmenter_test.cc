#include "tun/fragmenter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "tests/support/seeded_random.h"
#include "tests/tun/packets.h"

namespace ringway {
namespace {

using test::counting_bytes;
using test::ip_packet;
using test::Packet;
using test::reference_checksum;
using test::SeededRandom;
using test::udp_packet;

constexpr std::uint16_t kMayFragment = 0;
constexpr std::uint16_t kDontFragment = 0x4000;
constexpr std::uint16_t kMoreFragments = 0x2000;

std::vector<Packet> fragments_of(const Packet& packet, std::size_t limit) {
  const auto ip = parse_ip_packet(packet);
  EXPECT_TRUE(ip.has_value());
  auto fragmenter = Fragmenter::start(*ip, limit);
  if (!fragmenter) return {};
  std::vector<Packet> fragments;
  const std::size_t count = fragmenter->left_count();
  while (fragmenter->next_size() > 0) {
    EXPECT_EQ(fragmenter->left_count(), count - fragments.size());
    Packet out(fragmenter->next_size() + 8, 0xee);
    const MutableBytes written = fragmenter->write_next(out);
    EXPECT_EQ(Packet(out.end() - 8, out.end()), Packet(8, 0xee));
    fragments.emplace_back(written.begin(), written.end());
  }
  EXPECT_EQ(fragments.size(), count);
  EXPECT_EQ(fragmenter->left_count(), 0u);
  return fragments;
}

std::uint16_t word_of(const Packet& packet) { return load_be16(packet.data() + 6); }
std::size_t header_of(const Packet& packet) { return (packet[0] & 0x0f) * std::size_t{4}; }

/// The payload as a host puts it together (RFC 791 3.2); checks each header by itself.
Packet joined(const std::vector<Packet>& fragments, std::size_t limit) {
  Packet payload;
  for (std::size_t i = 0; i < fragments.size(); ++i) {
    const Packet& fragment = fragments[i];
    const std::size_t header = header_of(fragment);
    EXPECT_LE(fragment.size(), limit);
    EXPECT_EQ(load_be16(fragment.data() + 2), fragment.size());
    EXPECT_EQ(reference_checksum(Bytes(fragment).first(header)), 0u);
    const std::size_t first = word_of(fragments.front()) & 0x1fff;
    EXPECT_EQ(((word_of(fragment) & 0x1fff) - first) * 8, payload.size());
    if (i + 1 < fragments.size()) {
      EXPECT_EQ((fragment.size() - header) % 8, 0u);
      EXPECT_NE(word_of(fragment) & kMoreFragments, 0);
    }
    payload.insert(payload.end(), fragment.begin() + static_cast<std::ptrdiff_t>(header),
                   fragment.end());
  }
  return payload;
}

/// `packet` with IPv4 options, a multiple of four bytes.
Packet with_options(const Packet& packet, Bytes options) {
  Packet result(packet.begin(), packet.begin() + kIpv4HeaderMin);
  result.insert(result.end(), options.begin(), options.end());
  result[0] = static_cast<std::uint8_t>(0x40 | result.size() / 4);
  const std::size_t header = result.size();
  result.insert(result.end(), packet.begin() + kIpv4HeaderMin, packet.end());
  store_be16(result.data() + 2, static_cast<std::uint16_t>(result.size()));
  store_be16(result.data() + 10, 0);
  store_be16(result.data() + 10, reference_checksum(Bytes(result).first(header)));
  return result;
}

TEST(Fragmenter, CutsAPacketIntoFragmentsThatAreTheWhole) {
  const Packet payload = counting_bytes(1472);
  const Packet packet = udp_packet(true, payload, {}, {.v4_fragment_word = kMayFragment});

  const auto fragments = fragments_of(packet, 1400);

  ASSERT_EQ(fragments.size(), 2u);
  EXPECT_EQ(fragments[0].size(), 20u + 1376);
  EXPECT_EQ(fragments[1].size(), 20u + 1480 - 1376);
  EXPECT_EQ(word_of(fragments[0]), kMoreFragments);
  EXPECT_EQ(word_of(fragments[1]), 1376 / 8);
  EXPECT_EQ(joined(fragments, 1400), Packet(packet.begin() + 20, packet.end()));
  for (const Packet& fragment : fragments) {
    EXPECT_TRUE(std::equal(packet.begin() + 4, packet.begin() + 6, fragment.begin() + 4)) << "id";
    EXPECT_EQ(fragment[8], packet[8]) << "time to live";
    EXPECT_EQ(fragment[1], packet[1]) << "type of service";
  }
}

TEST(Fragmenter, LeavesAPacketThatFitsAsItIs) {
  const Packet packet = udp_packet(true, counting_bytes(100), {}, {.v4_fragment_word = 0});

  EXPECT_EQ(fragments_of(packet, packet.size()), std::vector<Packet>{packet});
  EXPECT_EQ(fragments_of(ip_packet(true, 17, {}, {.v4_fragment_word = 0}), 68).size(), 1u);
}

TEST(Fragmenter, RefusesWhatItsSenderForbids) {
  const Packet forbidden =
      udp_packet(true, counting_bytes(1472), {}, {.v4_fragment_word = kDontFragment});
  EXPECT_FALSE(Fragmenter::start(*parse_ip_packet(forbidden), 1400).has_value());
  EXPECT_FALSE(may_be_fragmented(*parse_ip_packet(forbidden)));

  const Packet v6 = udp_packet(false, counting_bytes(1472));
  EXPECT_FALSE(Fragmenter::start(*parse_ip_packet(v6), 1400).has_value());
}

TEST(Fragmenter, RefusesToMakeMoreThanItsNamedLimit) {
  const Packet packet = udp_packet(true, counting_bytes(60'000), {}, {.v4_fragment_word = 0});
  const auto ip = parse_ip_packet(packet);

  EXPECT_FALSE(Fragmenter::start(*ip, Fragmenter::kLimitMin).has_value());
  EXPECT_TRUE(Fragmenter::start(*ip, 576).has_value());
}

TEST(Fragmenter, CutsAFragmentFurtherAndKeepsItsPlaceInTheWhole) {
  for (const std::uint16_t more : {std::uint16_t{0}, kMoreFragments}) {
    const auto word = static_cast<std::uint16_t>(more | 185);  // 1,480 bytes in.
    const Packet packet = ip_packet(true, 17, counting_bytes(1440), {.v4_fragment_word = word});

    const auto fragments = fragments_of(packet, 600);

    ASSERT_EQ(fragments.size(), 3u);
    EXPECT_EQ(word_of(fragments[0]), kMoreFragments | 185);
    EXPECT_EQ(word_of(fragments[1]), kMoreFragments | (185 + 576 / 8));
    EXPECT_EQ(word_of(fragments[2]), more | (185 + 2 * 576 / 8));
    EXPECT_EQ(joined(fragments, 600), Packet(packet.begin() + 20, packet.end()));
  }
}

TEST(Fragmenter, CopiesTheOptionsThatSayTheyAreToBeCopied) {
  // Router alert (148, copied), no operation, record route (7, not copied), then a security option
  // of three bytes (130, copied), padded.
  const Packet options = {148, 4, 0, 0, 1, 7, 7, 4, 0, 0, 0, 0, 130, 3, 9, 0};
  const Packet packet =
      with_options(udp_packet(true, counting_bytes(200), {}, {.v4_fragment_word = 0}), options);

  const auto fragments = fragments_of(packet, 120);

  ASSERT_GE(fragments.size(), 2u);
  EXPECT_EQ(header_of(fragments[0]), 36u);
  EXPECT_EQ(Packet(fragments[0].begin() + 20, fragments[0].begin() + 36), options);
  for (std::size_t i = 1; i < fragments.size(); ++i) {
    ASSERT_EQ(header_of(fragments[i]), 28u);
    EXPECT_EQ(Packet(fragments[i].begin() + 20, fragments[i].begin() + 28),
              (Packet{148, 4, 0, 0, 130, 3, 9, 0}));
  }
  EXPECT_EQ(joined(fragments, 120), Packet(packet.begin() + 36, packet.end()));
}

TEST(Fragmenter, CopiesAMalformedOptionListAsFarAsItIsUnderstood) {
  const Packet plain = udp_packet(true, counting_bytes(200), {}, {.v4_fragment_word = 0});
  const struct {
    Packet options;
    std::size_t later_header;
  } table[] = {
      {{148, 4, 0, 0, 130, 0, 0, 0}, 24},    // A length of zero.
      {{148, 4, 0, 0, 130, 200, 0, 0}, 24},  // Beyond the header.
      {{148, 4, 0, 0, 1, 1, 1, 130}, 24},    // Without a length.
      {{130, 1, 0, 0}, 20},
      {{0, 148, 4, 0}, 20},  // Behind the end of the list.
  };
  for (const auto& row : table) {
    const Packet packet = with_options(plain, row.options);
    const auto fragments = fragments_of(packet, 120);
    ASSERT_GE(fragments.size(), 2u);
    EXPECT_EQ(header_of(fragments[1]), row.later_header);
    EXPECT_EQ(
        joined(fragments, 120),
        Packet(packet.begin() + static_cast<std::ptrdiff_t>(header_of(packet)), packet.end()));
  }
}

TEST(Fragmenter, GivesTheWholeForAnySizeLimitAndOptions) {
  const char* const given = std::getenv("RINGWAY_SEED");
  const std::uint64_t seed = given != nullptr ? std::stoull(given) : 20261;
  SeededRandom random(seed);
  for (int i = 0; i < 2000; ++i) {
    Packet options((random.next() % 11) * 4);
    random.fill(options);
    Packet packet =
        udp_packet(true, counting_bytes(random.next() % 3000), {}, {.v4_fragment_word = 0});
    if (!options.empty()) packet = with_options(packet, options);
    const std::size_t limit = Fragmenter::kLimitMin + random.next() % 1500;
    const auto ip = parse_ip_packet(packet);
    if (!Fragmenter::start(*ip, limit)) continue;

    const auto fragments = fragments_of(packet, limit);

    ASSERT_FALSE(fragments.empty()) << "RINGWAY_SEED=" << seed << " round " << i;
    const auto header = static_cast<std::ptrdiff_t>(header_of(packet));
    ASSERT_EQ(joined(fragments, limit), Packet(packet.begin() + header, packet.end()))
        << "RINGWAY_SEED=" << seed << " round " << i;
    ASSERT_EQ(word_of(fragments.back()) & kMoreFragments, 0);
  }
}

}  // namespace
}  // namespace ringway

#include <gtest/gtest.h>
#include <openssl/crypto.h>

#include <cstdlib>
#include <new>

#include "dataplane/datagram_train.h"
#include "dataplane/datapath.h"
#include "tests/dataplane/datapath_rig.h"
#include "tun/coalescer.h"

// A binary of its own, because it replaces the allocators that it counts.
namespace {

std::size_t allocation_count = 0;

void* counted_allocation(std::size_t size) {
  ++allocation_count;
  return std::malloc(size == 0 ? 1 : size);
}

void* openssl_allocate(std::size_t size, const char*, int) {
  ++allocation_count;
  return std::malloc(size);
}
void* openssl_reallocate(void* memory, std::size_t size, const char*, int) {
  ++allocation_count;
  return std::realloc(memory, size);
}
void openssl_release(void* memory, const char*, int) { std::free(memory); }

// OpenSSL takes it only before its own first allocation.
const bool openssl_is_counted =
    CRYPTO_set_mem_functions(openssl_allocate, openssl_reallocate, openssl_release) == 1;

}  // namespace

void* operator new(std::size_t size) { return counted_allocation(size); }
void* operator new[](std::size_t size) { return counted_allocation(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace ringway {
namespace {

using test::DatapathRig;
using test::kStart;
using test::Packet;
using test::packet_between;
using test::RigClient;
using Way = Verdict::Way;

TEST(DatapathAllocation, IsNoticed) {
  ASSERT_TRUE(openssl_is_counted);
  const std::size_t before = allocation_count;
  delete new int(1);
  OPENSSL_free(OPENSSL_malloc(8));
  EXPECT_GE(allocation_count, before + 1);
}

TEST(DatapathAllocation, NeverHappensForAPacket) {
  for (const DataCipher cipher :
       {DataCipher::Aes128Gcm, DataCipher::Aes256Gcm, DataCipher::ChaCha20Poly1305}) {
    DatapathRig rig;
    RigClient& client = rig.connect({1}, {"10.8.0.2/32", "172.16.0.0/12"},
                                    {.ping_interval = 10s, .mss_limit_v4 = 1400});
    rig.install(client, test::make_keys({1}, 9, cipher), test::make_peer_keys({1}, 9, cipher));
    client.session->keys().promote({1});
    std::vector<Packet> datagrams;
    for (int i = 0; i < 200; ++i)
      datagrams.push_back(client.seal(packet_between("10.8.0.2", "192.0.2.7", 1000)));
    const Packet down = packet_between("192.0.2.7", "10.8.0.2", 1000);
    Packet syn = test::tcp_packet(true, {}, {.flags = tcp_flag::kSyn, .options = {2, 4, 5, 0xb4}});
    store_be32(syn.data() + 16, 0x0a080002);
    Packet out(2000);

    const std::size_t before = allocation_count;
    std::size_t forwarded = 0;
    for (std::size_t i = 0; i < datagrams.size(); ++i) {
      const Instant now = kStart + static_cast<int>(i) * 1s;
      const Verdict up = rig.datapath.handle_datagram(datagrams[i], client.endpoint, now);
      forwarded += up.way == Way::Tun ? 1 : 0;
      forwarded += rig.datapath.handle_packet(down, out, now).way == Way::Link ? 1 : 0;
      forwarded += rig.datapath.handle_packet(syn, out, now).way == Way::Link ? 1 : 0;
      rig.datapath.handle_timeout(now);
    }
    const std::size_t after = allocation_count;

    EXPECT_EQ(forwarded, 600u);
    EXPECT_EQ(after, before) << name_of(cipher);
  }
}

TEST(DatapathAllocation, NeverHappensForATrainUntilItIsASuperPacket) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32"});
  Coalescer coalescer({.tcp = true, .udp = true});
  std::vector<Packet> trains(20);
  std::size_t size = 0;
  for (Packet& train : trains) {
    for (int i = 0; i < 40; ++i) {
      Packet inner = packet_between("10.8.0.2", "192.0.2.7", 1000);
      store_be16(inner.data() + kIpv4HeaderMin + 6, 0);
      store_be16(inner.data() + kIpv4HeaderMin + 6,
                 test::reference_transport_checksum(inner, kIpv4HeaderMin, kIpv4HeaderMin + 6));
      const Packet datagram = client.seal(inner);
      size = datagram.size();
      train.insert(train.end(), datagram.begin(), datagram.end());
    }
  }

  const std::size_t before = allocation_count;
  std::size_t frames = 0;
  for (Packet& received : trains) {
    DatagramTrain train(received, size);
    while (train.count_left() > 0) {
      const Verdict verdict = rig.datapath.handle_datagram(train.take(), client.endpoint, kStart);
      static_cast<void>(coalescer.add(verdict.ip));
    }
    std::array<Bytes, Coalescer::kGatherMax> spans;
    for (std::size_t i = 0; i < coalescer.frame_count(); ++i) {
      static_cast<void>(coalescer.gather(i, spans));
    }
    frames += coalescer.frame_count();
    coalescer.clear();
  }
  const std::size_t after = allocation_count;

  EXPECT_EQ(frames, 20u);
  EXPECT_EQ(after, before);
}

// Security goal A16: what a stranger or a bad peer sends costs no memory either.
TEST(DatapathAllocation, NeverHappensForADroppedDatagramAPingOrAReport) {
  for (const DataCipher cipher : {DataCipher::Aes256Gcm, DataCipher::ChaCha20Poly1305}) {
    DatapathRig rig;
    RigClient& client =
        rig.connect({1}, {"10.8.0.2/32"}, {.ping_interval = 10s, .ping_restart = 30s});
    rig.install(client, test::make_keys({1}, 9, cipher), test::make_peer_keys({1}, 9, cipher));
    client.session->keys().promote({1});
    Packet forged = client.seal(packet_between("10.8.0.2", "192.0.2.7", 1000));
    forged.back() ^= 1;
    Packet exit = client.seal(kExitPayload);
    Packet spoofed = client.seal(packet_between("10.8.0.9", "192.0.2.7"));
    Packet garbage(100, 0xf8);
    Packet scratch(Datapath::kPingSizeMax);

    const std::size_t before = allocation_count;
    (void)rig.datapath.handle_datagram(exit, client.endpoint, kStart);
    (void)rig.datapath.handle_datagram(spoofed, client.endpoint, kStart);
    std::size_t pings = 0;
    std::size_t reports = 0;
    for (int i = 0; i < 200; ++i) {
      const Instant now = kStart + i * 1s;
      (void)rig.datapath.handle_datagram(forged, client.endpoint, now);
      (void)rig.datapath.handle_datagram(garbage, client.endpoint, now);
      rig.datapath.handle_timeout(now);
      while (rig.datapath.poll_transmit(scratch, now)) ++pings;
      while (rig.datapath.poll_report()) ++reports;
    }
    const std::size_t after = allocation_count;

    EXPECT_GT(pings, 10u);
    EXPECT_GT(reports, 5u);
    EXPECT_EQ(rig.count(Drop::BadTag), 200u);
    EXPECT_EQ(after, before) << name_of(cipher);
  }
}

}  // namespace
}  // namespace ringway

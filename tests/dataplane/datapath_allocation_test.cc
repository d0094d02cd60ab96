#include <dlfcn.h>
#include <gtest/gtest.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <sys/time.h>

#include <cstdlib>
#include <ctime>
#include <new>
#include <ostream>

#include "dataplane/datagram_train.h"
#include "dataplane/datapath.h"
#include "dataplane/fair_queue.h"
#include "dataplane/gso_batch.h"
#include "tests/dataplane/channel/aead_support.h"
#include "tests/dataplane/datapath_rig.h"
#include "tun/coalescer.h"

// A binary of its own, because it replaces the allocators, locks and clocks that it counts.
namespace {

std::size_t allocation_count = 0;
std::size_t lock_count = 0;
std::size_t clock_count = 0;

/// The function that this program stands in front of.
template <typename Function>
Function* behind(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

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

extern "C" {
int pthread_mutex_lock(pthread_mutex_t* mutex) {
  static auto* const lock = behind<int(pthread_mutex_t*)>("pthread_mutex_lock");
  ++lock_count;
  return lock(mutex);
}
int pthread_rwlock_rdlock(pthread_rwlock_t* mutex) {
  static auto* const lock = behind<int(pthread_rwlock_t*)>("pthread_rwlock_rdlock");
  ++lock_count;
  return lock(mutex);
}
int pthread_rwlock_wrlock(pthread_rwlock_t* mutex) {
  static auto* const lock = behind<int(pthread_rwlock_t*)>("pthread_rwlock_wrlock");
  ++lock_count;
  return lock(mutex);
}
int clock_gettime(clockid_t clock, timespec* time) {
  static auto* const read = behind<int(clockid_t, timespec*)>("clock_gettime");
  ++clock_count;
  return read(clock, time);
}
int gettimeofday(timeval* time, void* zone) {
  static auto* const read = behind<int(timeval*, void*)>("gettimeofday");
  ++clock_count;
  return read(time, zone);
}
}

namespace ringway {
namespace {

using test::DatapathRig;
using test::engine_cases;
using test::EngineCase;
using test::kStart;
using test::Packet;
using test::packet_between;
using test::RigClient;
using Way = Verdict::Way;

struct Counts {
  std::size_t allocations = 0;
  std::size_t locks = 0;
  std::size_t clocks = 0;
  friend bool operator==(const Counts&, const Counts&) = default;
};
std::ostream& operator<<(std::ostream& out, const Counts& counts) {
  return out << counts.allocations << " allocations, " << counts.locks << " locks, "
             << counts.clocks << " reads of the clock";
}
Counts counts() { return {allocation_count, lock_count, clock_count}; }

DatapathSettings settings_for(const EngineCase& one) {
  DatapathSettings settings = test::rig_settings();
  settings.aead.set(one.cipher, one.engine);
  return settings;
}

TEST(DatapathAllocation, IsNoticed) {
  ASSERT_TRUE(openssl_is_counted);
  const std::size_t before = allocation_count;
  delete new int(1);
  OPENSSL_free(OPENSSL_malloc(8));
  EXPECT_GE(allocation_count, before + 1);
}

TEST(DatapathLock, IsNoticedAsAReadOfTheClockIs) {
  const Counts before = counts();
  {
    const Secret<32> takes_the_lock_of_the_arena;
  }
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const Counts after = counts();
  EXPECT_GE(after.locks, before.locks + 1);
  EXPECT_GE(after.clocks, before.clocks + 1);
}

TEST(DatapathAllocation, NeverHappensForAPacketNorALockNorAReadOfTheClock) {
  for (const EngineCase& one : engine_cases()) {
    const DataCipher cipher = one.cipher;
    DatapathRig rig(settings_for(one));
    RigClient& client = rig.connect({1}, {"10.8.0.2/32", "172.16.0.0/12"},
                                    {.ping_interval = 10s, .mss_limit_v4 = 1400});
    rig.install(client, test::make_keys({1}, 9, cipher), test::make_peer_keys({1}, 9, cipher));
    client.session->keys().promote({1});
    std::vector<Packet> datagrams;
    for (int i = 0; i < 200; ++i)
      datagrams.push_back(client.seal(packet_between("10.8.0.2", "192.0.2.7", 1000)));
    Packet down = packet_between("192.0.2.7", "10.8.0.2", 1000);
    Packet syn = test::tcp_packet(true, {}, {.flags = tcp_flag::kSyn, .options = {2, 4, 5, 0xb4}});
    store_be32(syn.data() + 16, 0x0a080002);
    Packet out(2000);
    Packet super_packet = test::tcp_packet(true, test::counting_bytes(13'000));
    store_be32(super_packet.data() + 16, 0x0a080002);
    const VnetHeader super_header{.gso_type = GsoType::TcpV4, .gso_size = 1300};
    GsoBatch batch;
    Packet train(65'536);
    FairQueue queue({.frames_max = 16});

    const Counts before = counts();
    std::size_t forwarded = 0;
    std::size_t segments = 0;
    for (std::size_t i = 0; i < datagrams.size(); ++i) {
      const Instant now = kStart + static_cast<int>(i) * 1s;
      const Verdict up = rig.datapath.handle_datagram(datagrams[i], client.endpoint, now);
      forwarded += up.way == Way::Tun ? 1 : 0;
      for (Packet* const packet : {&down, &syn}) {
        auto single = rig.datapath.route_frame({}, *packet);
        const auto peer = rig.datapath.target_of(*single);
        forwarded += rig.datapath.seal_next(*single, *peer, *packet, out, now) ? 1 : 0;
      }
      auto frame = rig.datapath.route_frame(super_header, super_packet);
      queue.push({.slot = 3, .size = 13'000, .peer = frame->peer, .since = now});
      batch.start(train, GsoBatch::kSegmentsMax);
      const auto target = rig.datapath.target_of(*frame);
      while (frame->segmenter.left_count() > 0) {
        const std::size_t size = target->seal_overhead() + frame->segmenter.next_size();
        const auto sealed =
            rig.datapath.seal_next(*frame, *target, super_packet, batch.reserve(size), now);
        segments += sealed ? 1 : 0;
        batch.commit(size);
      }
      queue.pop(0);
      // Cutting has changed it: only its first packet's headers are what they were, but for sizes.
      store_be16(super_packet.data() + 2, static_cast<std::uint16_t>(super_packet.size()));
      rig.datapath.handle_timeout(now);
    }
    const Counts after = counts();

    EXPECT_EQ(forwarded, 600u) << one.name();
    EXPECT_EQ(segments, 2000u) << one.name();
    EXPECT_EQ(after, before) << one.name();
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
  for (const EngineCase& one : engine_cases()) {
    const DataCipher cipher = one.cipher;
    DatapathRig rig(settings_for(one));
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

    const Counts before = counts();
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
    const Counts after = counts();

    EXPECT_GT(pings, 10u);
    EXPECT_GT(reports, 5u);
    EXPECT_EQ(rig.count(Drop::BadTag), 200u);
    EXPECT_EQ(after, before) << one.name();
  }
}

}  // namespace
}  // namespace ringway

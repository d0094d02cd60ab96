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
#include "dataplane/too_big_answers.h"
#include "tests/dataplane/channel/aead_support.h"
#include "tests/dataplane/datapath_rig.h"
#include "tun/coalescer.h"
#include "tun/ecn.h"
#include "tun/fitted_packets.h"

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

/// Sends, receives, floats and cuts super-packets, in either format.
void expect_nothing_for_a_packet(const EngineCase& one, bool in_epochs) {
  const DataCipher cipher = one.cipher;
  DatapathRig rig(settings_for(one));
  RigClient& client = rig.connect({1}, {"10.8.0.2/32", "172.16.0.0/12"},
                                  {.ping_interval = 10s,
                                   .mssfix = {.value = 1440, .mode = MssFix::Mode::Fixed},
                                   .in_epochs = in_epochs});
  DataKeys keys = test::make_keys({1}, 9, cipher);
  DataKeys peer_keys = test::make_peer_keys({1}, 9, cipher);
  keys.in_epochs = peer_keys.in_epochs = in_epochs;
  rig.install(client, std::move(keys), peer_keys);
  // The keys of epochs to come.
  rig.datapath.handle_timeout(kStart);
  client.session->keys().promote({1});
  const LinkEndpoint elsewhere = test::endpoint_of({77});
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
    // It floats now and then.
    const LinkEndpoint& from = i / 3 % 2 == 0 ? client.endpoint : elsewhere;
    const Verdict up = rig.datapath.handle_datagram(datagrams[i], from, now);
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

TEST(DatapathAllocation, NeverHappensForAPacketNorALockNorAReadOfTheClock) {
  for (const EngineCase& one : engine_cases()) {
    for (const bool in_epochs : {false, true}) expect_nothing_for_a_packet(one, in_epochs);
  }
}

// Security goal A21: also not for the packet with which a peer goes on, nor for ours.
TEST(DatapathAllocation, NeverHappensWhereAnEpochFollowsAnother) {
  for (const EngineCase& one : engine_cases()) {
    AeadChoice choice;
    choice.set(one.cipher, one.engine);
    const AeadEngines engines(choice);
    DataKeys keys = test::make_keys({1}, 9, one.cipher);
    DataKeys peer_keys = test::make_peer_keys({1}, 9, one.cipher);
    keys.in_epochs = peer_keys.in_epochs = true;
    const KeyLimits two_packets{.last_epoch_counter = 2};
    Session ours({1}, {}, {.in_epochs = true}, kStart, two_packets);
    Session theirs({1}, {}, {.in_epochs = true}, kStart);
    ours.keys().install(keys, engines);
    theirs.keys().install(peer_keys, engines);
    ours.handle_timeout(kStart);
    theirs.handle_timeout(kStart);
    const Packet packet = packet_between("10.8.0.2", "192.0.2.7", 1000);
    Packet out(2000);

    const Counts before = counts();
    std::size_t opened = 0;
    for (int i = 0; i < 4; ++i) {
      const auto there = ours.seal(packet, out, kStart);
      opened += theirs.open(parse_data_header(*there).value(), *there, kStart) ? 1 : 0;
      const auto back = theirs.seal(packet, out, kStart);
      opened += ours.open(parse_data_header(*back).value(), *back, kStart) ? 1 : 0;
    }
    const Counts after = counts();

    EXPECT_EQ(opened, 8u) << one.name();
    EXPECT_EQ(ours.keys().sealing(kStart)->epochs()->seal_epoch(), 2) << one.name();
    EXPECT_EQ(theirs.keys().sealing(kStart)->epochs()->seal_epoch(), 2) << one.name();
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

// Security goal C08.
TEST(DatapathAllocation, NeverHappensForWhatDoesNotFit) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32"}, {.tun_mtu = 1300});
  Packet forbidden = packet_between("192.0.2.7", "10.8.0.2", 1400);
  Packet allowed = forbidden;
  store_be16(allowed.data() + 6, 0);
  Packet marked = packet_between("10.8.0.2", "192.0.2.7", 1000);
  marked[1] = 2;  // ECT(0)
  std::vector<Packet> datagrams(200);
  for (Packet& datagram : datagrams) datagram = client.seal(marked);
  TooBigAnswers answers({.own_v4 = test::address("10.8.0.1"), .own_v6 = {}});
  Packet out(2000);

  const Counts before = counts();
  std::size_t answered = 0;
  std::size_t fragments = 0;
  std::size_t marks = 0;
  for (int i = 0; i < 200; ++i) {
    const Instant now = kStart + i * 1s;
    const auto frame = rig.datapath.route_frame({}, forbidden);
    const auto target = rig.datapath.target_of(*frame);
    const auto answer = answers.answer(out, frame->segmenter.ip(),
                                       {.peer = {1}, .path_limit = target->packet_max, .now = now});
    answered += answer ? 1 : 0;
    const auto other = rig.datapath.route_frame({}, allowed);
    FittedPackets packets(other->segmenter, allowed, target->packet_max);
    for (; packets.next_size() > 0; ++fragments) packets.write_next(out);
    UplinkSource source(client.endpoint, ecn::kCongestion);
    const Verdict verdict =
        rig.datapath.handle_datagram(datagrams[static_cast<std::size_t>(i)], source, now);
    marks += verdict.ip.ecn() == ecn::kCongestion ? 1 : 0;
  }
  const Counts after = counts();

  EXPECT_EQ(answered, 200u);
  EXPECT_EQ(fragments, 400u);
  EXPECT_EQ(marks, 200u);
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

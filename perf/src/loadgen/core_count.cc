#include <charconv>
#include <cstdio>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "dataplane/channel/data_packet.h"
#include "dataplane/datapath.h"
#include "perf/src/loadgen/probe.h"

// What perf/scale runs under callgrind: packets through the cores of N workers, each session at its
// owner. Counting is switched on by the names of the two functions below, so that neither start-up
// nor the clients' sealing is counted.
//
//   ringway-core-count up|down WORKERS SESSIONS PACKETS SIZE

using namespace ringway;

namespace {

constexpr Instant kNow{1000s};

struct Peer {
  PeerId id;
  LinkEndpoint endpoint;
  std::vector<std::uint8_t> up;
  std::vector<std::uint8_t> down;
};

/// As a worker does it.
bool seal_for_peer(Datapath& core, MutableBytes packet, MutableBytes out) {
  auto frame = core.route_frame({}, packet);
  if (!frame) return false;
  const auto target = core.target_of(*frame);
  return target && core.seal_next(*frame, *target, packet, out, kNow).has_value();
}

/// All workers of a server, and one more core with the other ends of all sessions.
class Cores {
 public:
  Cores(std::uint16_t workers, std::uint32_t sessions, std::size_t size) {
    for (std::uint16_t i = 0; i < workers; ++i) {
      workers_.push_back(std::make_unique<Datapath>(settings(i, workers, sessions)));
    }
    far_ = std::make_unique<Datapath>(settings(0, 1, sessions));
    for (std::uint32_t i = 1; i <= sessions; ++i) connect({i}, size);
  }

  [[nodiscard]] Peer& peer(std::size_t number) { return peers_[number % peers_.size()]; }
  [[nodiscard]] Datapath& owner_of(const Peer& peer) {
    return *workers_[peer.id.value % workers_.size()];
  }
  /// A datagram of the client, in `out`.
  MutableBytes seal(const Peer& peer, MutableBytes out) {
    packet_ = peer.up;
    RW_ASSERT(seal_for_peer(*far_, packet_, out));
    return out.first(peer.up.size() + data_overhead(DataHeader::kSizeMax));
  }

 private:
  static DatapathSettings settings(std::uint16_t self, std::uint16_t workers,
                                   std::uint32_t sessions) {
    DatapathSettings settings;
    settings.self = {self};
    settings.worker_count = workers;
    settings.sessions_max = 2 * sessions;
    return settings;
  }

  void connect(PeerId id, std::size_t size) {
    const IpAddress inside = IpAddress::v4(0x0a08'0000 + id.value);
    const IpAddress beyond = IpAddress::v4(0xac10'0000 + id.value);
    Peer& peer = peers_.emplace_back();
    peer.id = id;
    peer.endpoint.remote = {.address = IpAddress::v4(0xc612'0000 + id.value), .port = 1194};
    peer.up.resize(size);
    peer.down.resize(size);
    loadgen::write_probe_packet({.from = inside, .to = beyond}, {}, peer.up);
    loadgen::write_probe_packet({.from = beyond, .to = inside}, {}, peer.down);
    introduce(owner_of(peer), peer);
    introduce(*far_, peer);
    for (const auto& worker : workers_) {
      worker->handle_command(AddRoute{.prefix = Prefix::host(inside), .peer_id = id}, kNow);
    }
    far_->handle_command(AddRoute{.prefix = Prefix::host(beyond), .peer_id = id}, kNow);
  }

  /// The keys are all zero, so that one direction's is the other's.
  static void introduce(Datapath& core, const Peer& peer) {
    core.handle_command(AddSession{.peer_id = peer.id, .endpoint = peer.endpoint, .settings = {}},
                        kNow);
    core.handle_command(InstallKeys{.peer_id = peer.id, .keys = {}}, kNow);
  }

  std::vector<std::unique_ptr<Datapath>> workers_;
  std::unique_ptr<Datapath> far_;
  std::vector<std::uint8_t> packet_;
  std::vector<Peer> peers_;
};

std::size_t number_in(std::string_view word) {
  std::size_t number = 0;
  std::from_chars(word.data(), word.data() + word.size(), number);
  return number;
}

}  // namespace

extern "C" [[gnu::noinline]] bool core_counts_up(Datapath& core, MutableBytes datagram,
                                                 const LinkEndpoint& from) {
  return core.handle_datagram(datagram, from, kNow).way == Verdict::Way::Tun;
}

extern "C" [[gnu::noinline]] bool core_counts_down(Datapath& core, MutableBytes packet,
                                                   MutableBytes out) {
  return seal_for_peer(core, packet, out);
}

int main(int argc, char** argv) {
  const std::span<char*> words(argv, static_cast<std::size_t>(argc));
  if (words.size() != 6) {
    std::fputs("Usage: ringway-core-count up|down WORKERS SESSIONS PACKETS SIZE\n", stderr);
    return 2;
  }
  const bool is_up = std::string_view(words[1]) == "up";
  const std::size_t size = number_in(words[5]);
  Cores cores(static_cast<std::uint16_t>(number_in(words[2])),
              static_cast<std::uint32_t>(number_in(words[3])), size);
  std::vector<std::uint8_t> out(size + Datapath::kSealOverheadMax);
  for (std::size_t i = 0; i < number_in(words[4]); ++i) {
    Peer& peer = cores.peer(i);
    const bool good =
        is_up ? core_counts_up(cores.owner_of(peer), cores.seal(peer, out), peer.endpoint)
              : core_counts_down(cores.owner_of(peer), peer.down, out);
    if (!good) return 1;
  }
  return 0;
}

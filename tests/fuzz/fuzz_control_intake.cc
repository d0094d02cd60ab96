#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/check.h"
#include "base/cursor.h"
#include "dataplane/control_intake.h"
#include "tests/support/seeded_random.h"

// What strangers and clients can do to a worker's admission, under a script: the input is a list of
// steps, each a byte that says what happens, a byte that says at which of a few endpoints and
// sessions, and a length-prefixed text. Between the datagrams the control thread tells of channels,
// truly or not, keys change and time passes. After each datagram:
//   - an answer goes to where the datagram came from and has at most 12 bytes more;
//   - a stranger's packet goes on only with a cookie that was made for its endpoint and session;
//   - whoever is known as connected is never kept waiting behind newcomers, nor anybody else put in
//     front of them.

namespace ringway {
namespace {

using Way = Verdict::Way;

constexpr std::size_t kPlaces = 4;

class Script {
 public:
  Script() : intake_(settings()) { change_key(); }

  void step(std::uint8_t what, std::uint8_t where, Bytes text) {
    const LinkEndpoint from = endpoint(where);
    const SessionId session = session_of(where);
    switch (what % 8) {
      case 0: return judge(copy_of(text), from);
      case 1: return judge(reset(session), from);
      case 2: return judge(proof(session, text), from);
      case 3: return know(from, session, false);
      case 4: return know(from, session, true);
      case 5:
        intake_.handle(ForgetChannel{.endpoint = from, .session = session});
        std::erase_if(known_, [&](const Known& one) { return one.is(from, session); });
        return;
      case 6: return change_key();
      default: now_.instant = now_.instant + (text.empty() ? 1 : text[0]) * 100ms; return;
    }
  }

 private:
  struct Known {
    LinkEndpoint endpoint;
    SessionId session;
    bool is_established = false;
    [[nodiscard]] bool is(const LinkEndpoint& at, SessionId of) const {
      return endpoint == at && session == of;
    }
  };

  static DatapathSettings settings() {
    static const TlsWrap no_wrap;
    DatapathSettings settings;
    settings.admission = {.wrap = &no_wrap,
                          .limits = {.answers = {.count = 50, .period = 1s},
                                     .handshakes = {.count = 20, .period = 1s},
                                     .shared_sources = {},
                                     .hash = {}}};
    return settings;
  }

  static LinkEndpoint endpoint(std::uint8_t where) {
    LinkEndpoint from{.remote = {IpAddress::v4(0xc0000200u),
                                 static_cast<std::uint16_t>(1000 + where % kPlaces), 0},
                      .local = IpAddress::v4(0xc6336401u)};
    if ((where & 0x10) != 0) {
      // The cookie knows a TCP connection by its listener, which no datagram can have.
      from.listener = 1;
      from.connection = {.number = where % 2u, .generation = 1};
    }
    return from;
  }
  static SessionId session_of(std::uint8_t where) {
    SessionId session;
    session.bytes.fill(static_cast<std::uint8_t>(1 + where / 64));
    return session;
  }
  static std::vector<std::uint8_t> copy_of(Bytes bytes) { return {bytes.begin(), bytes.end()}; }
  static std::vector<std::uint8_t> reset(SessionId session) {
    std::vector<std::uint8_t> packet(14);
    packet[0] = 0x38;
    std::ranges::copy(session.bytes, packet.begin() + 1);
    return packet;
  }
  /// With the cookie that was heard last, of whatever session.
  [[nodiscard]] std::vector<std::uint8_t> proof(SessionId session, Bytes text) const {
    std::vector<std::uint8_t> packet(26);
    packet[0] = 0x20;
    std::ranges::copy(session.bytes, packet.begin() + 1);
    packet[9] = 1;
    std::ranges::copy(cookie_.bytes, packet.begin() + 14);
    packet[25] = text.empty() ? 1 : text[0];
    return packet;
  }

  void know(const LinkEndpoint& at, SessionId session, bool is_established) {
    intake_.handle(
        KnowChannel{.endpoint = at, .session = session, .is_established = is_established});
    std::erase_if(known_, [&](const Known& one) { return one.is(at, session); });
    known_.push_back({.endpoint = at, .session = session, .is_established = is_established});
  }

  void change_key() {
    const std::int64_t slot = now_.instant.since_start / 30s;
    intake_.handle(InstallCookieKey{.key = CookieKey::draw(random_, slot)});
  }

  void judge(const std::vector<std::uint8_t>& packet, const LinkEndpoint& from) {
    const Verdict verdict = intake_.handle_datagram(packet, from, now_);
    RW_ASSERT(verdict.way == Way::Dropped || verdict.way == Way::Link ||
              verdict.way == Way::Control || verdict.way == Way::Newcomer);
    const Known* const known = find(packet, from);
    RW_ASSERT((verdict.way == Way::Control) == (known != nullptr && known->is_established));
    if (known != nullptr) RW_ASSERT(known->is_established || verdict.way == Way::Newcomer);
    if (verdict.way == Way::Link) note_answer(verdict, packet, from);
    if (verdict.way == Way::Newcomer && known == nullptr) check_proof(packet, from);
  }

  [[nodiscard]] const Known* find(const std::vector<std::uint8_t>& packet,
                                  const LinkEndpoint& from) const {
    if (packet.size() < 9 || packet.size() > HandshakeGate::kDatagramSizeMax) return nullptr;
    const auto found = std::ranges::find_if(
        known_, [&](const Known& one) { return one.is(from, session_in(packet, 1)); });
    return found == known_.end() ? nullptr : &*found;
  }
  static SessionId session_in(Bytes packet, std::size_t at) {
    SessionId session;
    std::ranges::copy(packet.subspan(at, 8), session.bytes.begin());
    return session;
  }

  void note_answer(const Verdict& verdict, Bytes request, const LinkEndpoint& from) {
    RW_ASSERT(verdict.endpoint == from);
    RW_ASSERT(verdict.packet.size() <= request.size() + 12);
    RW_ASSERT(verdict.packet.size() == 26 && verdict.packet[0] == 0x40);
    cookie_ = session_in(verdict.packet, 1);
    RW_ASSERT(session_in(verdict.packet, 14) == session_in(request, 1));
    made_.push_back({.endpoint = from, .session = session_in(request, 1)});
  }

  /// The cookie went to this very endpoint and session, or the sender proved it before.
  void check_proof(Bytes packet, const LinkEndpoint& from) const {
    RW_ASSERT(std::ranges::any_of(
        made_, [&](const Known& one) { return one.is(from, session_in(packet, 1)); }));
  }

  test::SeededRandom random_{1};
  ControlIntake intake_;
  Now now_{.instant = {1000s}, .wall = {1'700'000'000}};
  SessionId cookie_;
  std::vector<Known> known_;
  std::vector<Known> made_;
};

}  // namespace
}  // namespace ringway

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ringway;
  ByteReader reader(Bytes{data, size});
  Script script;
  for (int steps = 0; steps < 200 && !reader.truncated() && reader.left() > 0; ++steps) {
    const std::uint8_t what = reader.u8();
    const std::uint8_t where = reader.u8();
    const std::size_t length = reader.u8();
    script.step(what, where, reader.take(std::min(length, reader.left())));
  }
  return 0;
}

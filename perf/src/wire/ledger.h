#pragma once

#include <cstdint>
#include <vector>

#include "perf/src/wire/stamp.h"

namespace ringway::wire {

/// How many packets went in and came out, and in which order. Value; they add up.
struct Tally {
  std::uint64_t sent = 0;
  /// Each packet once.
  std::uint64_t received = 0;
  /// Came behind a later packet of its client.
  std::uint64_t reordered = 0;
  std::uint64_t duplicated = 0;
  /// Came after its block was closed, or was never sent.
  std::uint64_t strange = 0;

  [[nodiscard]] std::uint64_t lost() const { return sent > received ? sent - received : 0; }
};

/// Books every packet by its stamp: what came, what did not, what came late or twice. Packets come
/// in blocks, each with stamps that begin again at 0.
///
/// Pure; prepare() may allocate, receive() does not.
class Ledger {
 public:
  /// `last_block` is the number of the last block of an earlier ledger, so that what it sent is not
  /// taken for ours.
  Ledger(std::size_t client_count, std::uint32_t last_block)
      : block_(last_block), clients_(client_count) {}

  /// Forgets the stamps of the last block; what it counted stays.
  void open_block();
  /// The stamp of the next packet of `client`.
  [[nodiscard]] Stamp prepare(std::uint32_t client);
  void note_sent(std::uint64_t packets) { tally_.sent += packets; }
  /// `count` packets of a super-packet whose first stamp is `first`: those behind it follow it in
  /// sequence, or they would not have been merged. Returns how many of them were awaited.
  std::size_t receive(const Stamp& first, std::size_t count);

  [[nodiscard]] const Tally& tally() const { return tally_; }
  [[nodiscard]] std::uint32_t block() const { return block_; }
  /// How many stamps this block has.
  [[nodiscard]] std::uint32_t stamp_count() const { return next_index_; }

 private:
  struct Client {
    std::uint32_t next_expected = 0;
    /// One a sequence number.
    std::vector<bool> seen;
  };

  bool receive_one(Client& client, std::uint32_t sequence);

  std::uint32_t block_;
  std::uint32_t next_index_ = 0;
  std::vector<Client> clients_;
  Tally tally_;
};

/// Follows the packet ids of sealed datagrams, which stand in clear: enough to see order and gaps
/// without opening anything. Pure.
class PacketIdLedger {
 public:
  explicit PacketIdLedger(std::size_t client_count) : last_(client_count) {}

  /// `count` datagrams whose ids begin at `first`.
  void receive(std::uint32_t client, std::uint32_t first, std::size_t count);

  /// Came behind a higher id of their client.
  [[nodiscard]] std::uint64_t reordered() const { return reordered_; }
  /// Ids that were passed over; each that came late after all is among reordered() too.
  [[nodiscard]] std::uint64_t passed_over() const { return passed_over_; }

 private:
  /// 0: nothing came yet, and whatever comes first is in order.
  std::vector<std::uint32_t> last_;
  std::uint64_t reordered_ = 0;
  std::uint64_t passed_over_ = 0;
};

}  // namespace ringway::wire

#include "perf/src/wire/ledger.h"

#include "base/check.h"

namespace ringway::wire {

void Ledger::open_block() {
  ++block_;
  next_index_ = 0;
  for (Client& client : clients_) {
    client.next_expected = 0;
    client.seen.clear();
  }
}

Stamp Ledger::prepare(std::uint32_t client) {
  RW_ASSERT(client < clients_.size());
  std::vector<bool>& seen = clients_[client].seen;
  const Stamp stamp{.client = client,
                    .sequence = static_cast<std::uint32_t>(seen.size()),
                    .index = next_index_++,
                    .block = block_};
  seen.push_back(false);
  return stamp;
}

std::size_t Ledger::receive(const Stamp& first, std::size_t count) {
  if (first.block != block_ || first.client >= clients_.size()) {
    tally_.strange += count;
    return 0;
  }
  std::size_t awaited = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (receive_one(clients_[first.client], first.sequence + static_cast<std::uint32_t>(i))) {
      ++awaited;
    }
  }
  return awaited;
}

bool Ledger::receive_one(Client& client, std::uint32_t sequence) {
  if (sequence >= client.seen.size()) {
    ++tally_.strange;
    return false;
  }
  if (client.seen[sequence]) {
    ++tally_.duplicated;
    return false;
  }
  client.seen[sequence] = true;
  ++tally_.received;
  if (sequence < client.next_expected) {
    ++tally_.reordered;
  } else {
    client.next_expected = sequence + 1;
  }
  return true;
}

void PacketIdLedger::receive(std::uint32_t client, std::uint32_t first, std::size_t count) {
  RW_ASSERT(client < last_.size());
  std::uint32_t& last = last_[client];
  const std::uint32_t end = first + static_cast<std::uint32_t>(count) - 1;
  if (last != 0 && first <= last) {
    reordered_ += count;
  } else if (last != 0) {
    passed_over_ += first - last - 1;
  }
  if (end > last) last = end;
}

}  // namespace ringway::wire

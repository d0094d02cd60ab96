#pragma once

#include <vector>

#include "perf/src/wire/fleet.h"
#include "perf/src/wire/pace.h"

namespace ringway::wire {

/// Clients send to the Internet: sealed datagrams go into the outer card, and inner packets come
/// out of the inner one. Sealing is done beforehand, block by block, so that the wire is faster
/// than the server; only the time between is measured.
///
/// SHELL: one thread. Allocates its block when it is made.
class Upload final : public Wires {
 public:
  Upload(const RunPlan& plan, const RunStart& start, Fleet& fleet, const Cards& cards);

  [[nodiscard]] RunResult run();

 private:
  /// What lies ready in the block.
  struct Load {
    std::size_t offset = 0;
    std::size_t size = 0;
    std::size_t packets = 0;
    /// The index of the first packet's stamp.
    std::uint32_t index = 0;
  };

  [[nodiscard]] std::size_t next_load() const override;
  void write_next(Instant now) override;
  std::size_t read_some() override;

  void prepare_block();
  /// Seals the next packets of `client` into the block; false when it is full, or the key is gone.
  bool prepare_load(std::uint32_t client, Now now);
  void check(const InnerArrival& arrival, Bytes packet);

  RunPlan plan_;
  Fleet& fleet_;
  Cards cards_;
  std::vector<InnerFlow> flows_;
  Ledger ledger_;
  RunResult result_;
  std::vector<std::uint8_t> block_;
  std::size_t block_used_ = 0;
  std::vector<Load> loads_;
  std::size_t next_ = 0;
  /// Who sends next, across blocks.
  std::uint32_t client_ = 0;
  /// By the index of the stamp.
  std::vector<Instant> sent_at_;
  std::vector<std::uint8_t> frame_;
};

}  // namespace ringway::wire

#pragma once

#include <vector>

#include "perf/src/wire/fleet.h"
#include "perf/src/wire/pace.h"

namespace ringway::wire {

/// The Internet sends to the clients: inner packets go into the inner card, and sealed datagrams
/// come out of the outer one. All are counted and put in order by their packet ids, which stand in
/// clear; one frame of RunPlan::sample is opened, checked and timed.
///
/// SHELL: one thread. Allocates when it is made and between blocks.
class Download final : public Wires {
 public:
  Download(const RunPlan& plan, const RunStart& start, Fleet& fleet, const Cards& cards);

  [[nodiscard]] RunResult run();

 private:
  [[nodiscard]] std::size_t next_load() const override;
  void write_next(Instant now) override;
  std::size_t read_some() override;

  /// A frame for `client` at the head of frame_, and what of it is to be written.
  Bytes make_frame(std::uint32_t client, std::size_t packets, Instant now);
  /// How many of the arrival's datagrams carry packets of this run.
  std::size_t count(const OuterArrival& arrival, std::uint32_t client, Bytes first);
  void check(const OuterArrival& arrival, std::uint32_t client, MutableBytes packet);
  void check_packet(std::uint32_t client, Bytes packet);

  RunPlan plan_;
  Fleet& fleet_;
  Cards cards_;
  std::vector<InnerFlow> flows_;
  Ledger ledger_;
  PacketIdLedger packet_ids_;
  RunResult result_;
  std::uint64_t received_ = 0;
  std::uint64_t strange_ = 0;
  /// Of the block.
  std::size_t packets_left_ = 0;
  std::uint32_t client_ = 0;
  std::size_t burst_left_ = 0;
  /// By the index of the stamp.
  std::vector<Instant> sent_at_;
  std::vector<Stamp> stamps_;
  std::vector<std::uint8_t> frame_;
  std::vector<std::uint8_t> received_frame_;
};

}  // namespace ringway::wire

#include "tun/tun_steering.h"

#include <bpf/bpf.h>
#include <fmt/format.h>
#include <linux/bpf.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>
#include <vector>

namespace ringway {
namespace {

/// The key of both maps, the hash taking the address alone. IPv4 is v4-mapped, as in IpAddress, so
/// that one pair of maps serves both families.
struct TrieKey {
  /// In the 128 bits of `address`, in the machine's byte order (struct bpf_lpm_trie_key).
  std::uint32_t prefix_length = 0;
  std::array<std::uint8_t, 16> address{};
};
static_assert(sizeof(TrieKey) == 20);

TrieKey key_of(const Prefix& prefix) {
  const std::uint32_t mapped = prefix.address.is_v4() ? 96 : 0;
  return {.prefix_length = mapped + prefix.length, .address = prefix.address.bytes()};
}

bool is_host(const TrieKey& key) { return key.prefix_length == 128; }

// The program. Instructions are written by hand, so that building needs no BPF compiler; they carry
// the kernel's names.

using Instructions = std::vector<bpf_insn>;

constexpr std::int32_t kIpv4Destination = 16;
constexpr std::int32_t kIpv6Destination = 24;
// Stack, from the frame pointer down: address, then the trie's prefix length in front of it.
constexpr std::int16_t kAddressAt = -16;
constexpr std::int16_t kTrieKeyAt = -20;

constexpr bpf_insn insn(int code, int destination, int source, int offset, std::int32_t immediate) {
  bpf_insn instruction{};
  instruction.code = static_cast<std::uint8_t>(code);
  instruction.dst_reg = static_cast<std::uint8_t>(destination & 0xf);
  instruction.src_reg = static_cast<std::uint8_t>(source & 0xf);
  instruction.off = static_cast<std::int16_t>(offset);
  instruction.imm = immediate;
  return instruction;
}

constexpr bpf_insn move(int to, int from) {
  return insn(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0);
}
constexpr bpf_insn set(int to, std::int32_t value) {
  return insn(BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, value);
}
constexpr bpf_insn add(int to, std::int32_t value) {
  return insn(BPF_ALU64 | BPF_ADD | BPF_K, to, 0, 0, value);
}
constexpr bpf_insn store_word(std::int16_t at, std::uint32_t value) {
  return insn(BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, at, static_cast<std::int32_t>(value));
}
constexpr bpf_insn call(std::int32_t helper) { return insn(BPF_JMP | BPF_CALL, 0, 0, 0, helper); }
constexpr bpf_insn leave() { return insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0); }
/// Skips `count` instructions when `reg` equals, or does not equal, `value`.
constexpr bpf_insn skip_if_equal(int reg, std::int32_t value, int count) {
  return insn(BPF_JMP | BPF_JEQ | BPF_K, reg, 0, count, value);
}
constexpr bpf_insn skip_if_not_equal(int reg, std::int32_t value, int count) {
  return insn(BPF_JMP | BPF_JNE | BPF_K, reg, 0, count, value);
}
constexpr bpf_insn skip(int count) { return insn(BPF_JMP | BPF_JA, 0, 0, count, 0); }

void append(Instructions& program, std::initializer_list<bpf_insn> more) {
  program.insert(program.end(), more);
}

/// Leaves the program with the value found under the key at `key_at`, or goes on.
void append_lookup(Instructions& program, int map_fd, std::int16_t key_at) {
  append(program, {
                      insn(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, map_fd),
                      insn(0, 0, 0, 0, 0),  // The upper half of the 64-bit constant.
                      move(BPF_REG_2, BPF_REG_10),
                      add(BPF_REG_2, key_at),
                      call(BPF_FUNC_map_lookup_elem),
                      skip_if_equal(BPF_REG_0, 0, 2),
                      insn(BPF_LDX | BPF_MEM | BPF_W, BPF_REG_0, BPF_REG_0, 0, 0),
                      leave(),
                  });
}

/// skb_load_bytes(skb, offset, address + into, size): in R0, 0 or an error for a shorter packet.
void append_load(Instructions& program, std::int32_t offset, std::int32_t into, std::int32_t size) {
  append(program, {
                      move(BPF_REG_1, BPF_REG_6),
                      set(BPF_REG_2, offset),
                      move(BPF_REG_3, BPF_REG_10),
                      add(BPF_REG_3, kAddressAt + into),
                      set(BPF_REG_4, size),
                      call(BPF_FUNC_skb_load_bytes),
                  });
}

/// The program sees the packet from its IP header on: the virtio header comes in front of it later.
///
///   address = version 6 ? destination : ::ffff:destination
///   return hosts[address] or prefixes[address] or the flow hash, each modulo the queues
Instructions steering_program(int hosts_fd, int prefixes_fd) {
  constexpr int kLoadSize = 6;
  Instructions program;
  append(program,
         {
             move(BPF_REG_6, BPF_REG_1),  // Loads below take the packet from R6.
             // The upper half of the address is written first: nothing of the stack may be unset.
             store_word(kAddressAt, 0),
             store_word(kAddressAt + 4, 0),
             store_word(kAddressAt + 8,
                        std::endian::native == std::endian::little ? 0xffff0000u : 0x0000ffffu),
             store_word(kAddressAt + 12, 0),
             store_word(kTrieKeyAt, 128),
             insn(BPF_LD | BPF_ABS | BPF_B, 0, 0, 0, 0),  // R0 = first byte; leaves with 0 if none.
             insn(BPF_ALU64 | BPF_RSH | BPF_K, BPF_REG_0, 0, 0, 4),
             skip_if_not_equal(BPF_REG_0, 6, kLoadSize + 1),
         });
  append_load(program, kIpv6Destination, 0, 16);
  append(program, {skip(kLoadSize)});
  append_load(program, kIpv4Destination, 12, 4);
  append_lookup(program, hosts_fd, kAddressAt);
  append_lookup(program, prefixes_fd, kTrieKeyAt);
  append(program, {
                      insn(BPF_LDX | BPF_MEM | BPF_W, BPF_REG_0, BPF_REG_6,
                           static_cast<int>(offsetof(__sk_buff, hash)), 0),
                      leave(),
                  });
  return program;
}

Result<UniqueFd> make_map(bpf_map_type type, std::uint32_t key_size, std::uint32_t entries_max) {
  bpf_map_create_opts options{};
  options.sz = sizeof options;
  if (type == BPF_MAP_TYPE_LPM_TRIE) options.map_flags = BPF_F_NO_PREALLOC;  // Required.
  UniqueFd map(bpf_map_create(type, "ringway_steer", key_size, sizeof(std::uint32_t),
                              std::max(entries_max, 1u), &options));
  if (!map) {
    return fail(fmt::format("cannot make a BPF map: {}", std::strerror(errno)), "TUN steering",
                "start as root or with CAP_BPF");
  }
  return map;
}

}  // namespace

Result<TunSteering> TunSteering::load(const Limits& limits) {
  Result<UniqueFd> hosts = make_map(BPF_MAP_TYPE_HASH, sizeof(TrieKey::address), limits.hosts_max);
  if (!hosts) return std::unexpected(hosts.error());
  Result<UniqueFd> prefixes = make_map(BPF_MAP_TYPE_LPM_TRIE, sizeof(TrieKey), limits.prefixes_max);
  if (!prefixes) return std::unexpected(prefixes.error());

  const Instructions instructions = steering_program(hosts->get(), prefixes->get());
  // Filled only when the program is refused: libbpf then asks the verifier a second time.
  std::array<char, 4096> verifier_log{};
  bpf_prog_load_opts options{};
  options.sz = sizeof options;
  options.log_buf = verifier_log.data();
  options.log_size = verifier_log.size();
  UniqueFd program(bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "ringway_steer", "Apache-2.0",
                                 instructions.data(), instructions.size(), &options));
  if (!program) {
    const int error = errno;
    return fail(fmt::format("the kernel refuses the steering program: {} {}", std::strerror(error),
                            verifier_log.data()),
                "TUN steering", "start as root or with CAP_BPF");
  }
  return TunSteering(std::move(*hosts), std::move(*prefixes), std::move(program));
}

bool TunSteering::set_owner(const Prefix& prefix, WorkerId owner) {
  const TrieKey key = key_of(prefix);
  const std::uint32_t queue = owner.value;
  return is_host(key) ? bpf_map_update_elem(hosts_.get(), key.address.data(), &queue, BPF_ANY) == 0
                      : bpf_map_update_elem(prefixes_.get(), &key, &queue, BPF_ANY) == 0;
}

bool TunSteering::remove(const Prefix& prefix) {
  const TrieKey key = key_of(prefix);
  return is_host(key) ? bpf_map_delete_elem(hosts_.get(), key.address.data()) == 0
                      : bpf_map_delete_elem(prefixes_.get(), &key) == 0;
}

}  // namespace ringway

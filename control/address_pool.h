#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/address.h"
#include "control/config/config.h"

namespace ringway {

/// The inner addresses of one client. Pure value.
struct Lease {
  /// Of the pool: counts from its start, and is the same in both families. Unset: all that is here
  /// is fixed, and the pool knows nothing of it.
  std::optional<std::uint64_t> index;
  std::optional<IpAddress> v4;
  std::optional<IpAddress> v6;
};

struct AddressPoolSettings {
  /// Where both are set, as many clients are served as the smaller has addresses.
  std::optional<AddressRange> v4;
  std::optional<AddressRange> v6;
  /// Several clients may have one common name, so a name is no claim to an address.
  bool duplicate_cn = false;
  /// How many past leases are remembered beyond the ones in use: some 300 bytes each, and one each
  /// that was ever given.
  std::size_t remembered_max = 1'000'000;
};

/// Leases inner addresses: those of the IPv4 range in order, each with the IPv6 address that has
/// the same index, as OpenVPN does. A client gets the address that its common name had last, or a
/// fresh one, or the one that was given back longest ago. What is reserved for a name is nobody
/// else's.
///
/// Pure; used by one thread. There is no limit but the size of the ranges.
class AddressPool {
 public:
  /// Names for which addresses are reserved; those beyond it are not.
  static constexpr std::size_t kReservedNamesMax = 1'000'000;

  explicit AddressPool(const AddressPoolSettings& settings);

  /// Reads the text of an ifconfig-pool-persist file, `CN,v4,v6` a line. Lines that do not fit the
  /// pool are ignored: they are hints. Returns how many were taken. Call before the first acquire.
  std::size_t load_hints(std::string_view text);
  /// These addresses are fixed for `name`, and nobody else is given them, nor what has the same
  /// index; whoever has them now keeps them. Replaces what was reserved for that name before. An
  /// empty name: for nobody. Outside of the pool there is nothing to reserve.
  void reserve(std::string_view name, const std::optional<IpAddress>& v4,
               const std::optional<IpAddress>& v6);
  /// Nothing when the pool is exhausted. An empty name is nobody's. Where one of the name's
  /// addresses is reserved, the index of that, so that the other one goes with it.
  [[nodiscard]] std::optional<Lease> acquire(std::string_view common_name);
  /// Both addresses of an index, whoever has them.
  [[nodiscard]] Lease at(std::uint64_t index) const;
  void release(const Lease& lease);

  /// `CN,v4,v6` lines in the order of the addresses.
  [[nodiscard]] std::string leases_text() const;
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] bool has_v4() const { return settings_.v4.has_value(); }
  [[nodiscard]] bool has_v6() const { return settings_.v6.has_value(); }
  /// For tests: leases that are out.
  [[nodiscard]] std::size_t in_use_count() const;

 private:
  struct Entry {
    std::string common_name;
    bool in_use = false;
    /// Key in released_, while not in use and not reserved.
    std::optional<std::uint64_t> released_key;
  };

  std::optional<std::uint64_t> choose(std::string_view common_name);
  [[nodiscard]] std::optional<std::uint64_t> reserved_free(std::string_view common_name) const;
  [[nodiscard]] bool is_in_use(std::uint64_t index) const;
  [[nodiscard]] std::optional<std::uint64_t> index_of(const IpAddress& address) const;
  void put_back(std::uint64_t index, Entry& entry);
  void rename(std::uint64_t index, Entry& entry, std::string_view common_name);
  void hold_back(std::uint64_t index);
  void give_free(std::uint64_t index);

  AddressPoolSettings settings_;
  std::uint64_t size_ = 0;
  /// Every index below it has been leased, hinted or reserved at some time.
  std::uint64_t next_fresh_ = 0;
  std::uint64_t release_count_ = 0;
  std::map<std::uint64_t, Entry> entries_;
  /// Free entries: by the time of their release, or by index where names claim nothing.
  std::map<std::uint64_t, std::uint64_t> released_;
  std::unordered_map<std::string, std::uint64_t> by_name_;
  /// For how many names an index is reserved.
  std::unordered_map<std::uint64_t, std::uint32_t> reserved_;
  std::unordered_map<std::string, std::set<std::uint64_t>> reserved_by_name_;
};

}  // namespace ringway

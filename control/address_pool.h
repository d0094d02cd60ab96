#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/address.h"

namespace ringway {

/// The inner addresses of one client. `index` counts from the start of the pool and is the same in
/// both families. Pure value.
struct Lease {
  std::optional<std::uint64_t> index;
  std::optional<IpAddress> v4;
  std::optional<IpAddress> v6;
};

struct AddressPoolSettings {
  /// The networks of `server` and `server-ipv6`; the server itself is the first host of each.
  std::optional<Prefix> network_v4;
  std::optional<Prefix> network_v6;
  /// Several clients may have one common name, so a name is no claim to an address.
  bool duplicate_cn = false;
  /// How many past leases are remembered beyond the ones in use.
  std::size_t remembered_max = 65536;
};

/// Leases inner addresses: IPv4 network+2 to broadcast-1, and the IPv6 address with the same index
/// (network+0x1000 and on, or network+2 in networks smaller than /112), as OpenVPN does. A client
/// gets the address that its common name had last, or a fresh one, or the one that was given back
/// longest ago.
///
/// Pure; used by one thread. IPv6-only pools have no limit but the network's size.
class AddressPool {
 public:
  explicit AddressPool(const AddressPoolSettings& settings);

  /// Reads the text of an ifconfig-pool-persist file, `CN,v4,v6` a line. Lines that do not fit the
  /// pool are ignored: they are hints. Returns how many were taken. Call before the first acquire.
  std::size_t load_hints(std::string_view text);
  /// Nothing when the pool is exhausted. An empty name is nobody's.
  [[nodiscard]] std::optional<Lease> acquire(std::string_view common_name);
  void release(const Lease& lease);

  /// `CN,v4,v6` lines in the order of the addresses.
  [[nodiscard]] std::string leases_text() const;
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] std::optional<IpAddress> server_v4() const { return server_v4_; }
  [[nodiscard]] std::optional<IpAddress> server_v6() const { return server_v6_; }

 private:
  struct Entry {
    std::string common_name;
    bool in_use = false;
    /// Key in released_, while not in use.
    std::optional<std::uint64_t> released_key;
  };

  std::optional<std::uint64_t> choose(std::string_view common_name);
  [[nodiscard]] std::optional<std::uint64_t> index_of(const IpAddress& address) const;
  [[nodiscard]] Lease lease_at(std::uint64_t index) const;
  void put_back(std::uint64_t index, Entry& entry);
  void rename(std::uint64_t index, Entry& entry, std::string_view common_name);

  AddressPoolSettings settings_;
  std::optional<IpAddress> server_v4_;
  std::optional<IpAddress> server_v6_;
  std::optional<IpAddress> base_v4_;
  std::optional<IpAddress> base_v6_;
  std::uint64_t size_ = 0;
  /// Every index below it has been leased or hinted at some time.
  std::uint64_t next_fresh_ = 0;
  std::uint64_t release_count_ = 0;
  std::map<std::uint64_t, Entry> entries_;
  /// Free entries: by the time of their release, or by index where names claim nothing.
  std::map<std::uint64_t, std::uint64_t> released_;
  std::unordered_map<std::string, std::uint64_t> by_name_;
};

}  // namespace ringway

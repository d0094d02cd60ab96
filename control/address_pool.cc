#include "control/address_pool.h"

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace ringway {

namespace {

constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();
/// Where OpenVPN starts the IPv6 pool, in networks that have room below it.
constexpr std::uint64_t kV6Offset = 0x1000;

std::uint64_t pool_size_v4(const Prefix& network) {
  const std::uint64_t addresses = std::uint64_t{1} << (32 - network.length);
  // Network, server and broadcast addresses are not for clients.
  return addresses > 3 ? addresses - 3 : 0;
}

std::uint64_t pool_size_v6(const Prefix& network, std::uint64_t offset) {
  const unsigned host_bits = 128u - network.length;
  if (host_bits >= 64) return kUnlimited - offset;
  const std::uint64_t addresses = std::uint64_t{1} << host_bits;
  return addresses > offset ? addresses - offset : 0;
}

/// A line of the file is split at commas, so a name that holds one cannot be kept in it.
bool is_persistable(std::string_view name) {
  if (name.empty() || name.front() == '#' || name.front() == ';') return false;
  return std::ranges::none_of(
      name, [](char c) { return c == ',' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::string_view take_until(std::string_view& rest, char separator) {
  const std::size_t end = rest.find(separator);
  const std::string_view field = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  return field;
}

}  // namespace

AddressPool::AddressPool(const AddressPoolSettings& settings) : settings_(settings) {
  size_ = settings.network_v4 || settings.network_v6 ? kUnlimited : 0;
  if (settings.network_v4) {
    server_v4_ = settings.network_v4->address.plus(1);
    base_v4_ = settings.network_v4->address.plus(2);
    size_ = std::min(size_, pool_size_v4(*settings.network_v4));
  }
  if (settings.network_v6) {
    const std::uint64_t offset = settings.network_v6->length < 112 ? kV6Offset : 2;
    server_v6_ = settings.network_v6->address.plus(1);
    base_v6_ = settings.network_v6->address.plus(offset);
    size_ = std::min(size_, pool_size_v6(*settings.network_v6, offset));
  }
}

std::size_t AddressPool::load_hints(std::string_view text) {
  std::size_t taken = 0;
  while (!text.empty() && entries_.size() < settings_.remembered_max) {
    std::string_view line = take_until(text, '\n');
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::string_view name = take_until(line, ',');
    const std::string_view v4_text = take_until(line, ',');
    const std::string_view v6_text = take_until(line, ',');
    if (!is_persistable(name) || settings_.duplicate_cn) continue;

    const std::optional<IpAddress> v4 = IpAddress::parse(v4_text);
    const std::optional<IpAddress> v6 = IpAddress::parse(v6_text);
    const std::optional<IpAddress>& address = v4 && base_v4_ ? v4 : v6;
    if (!address) continue;
    const std::optional<std::uint64_t> index = index_of(*address);
    if (!index || entries_.contains(*index) || by_name_.contains(std::string(name))) continue;

    Entry& entry = entries_[*index];
    rename(*index, entry, name);
    put_back(*index, entry);
    ++taken;
  }
  return taken;
}

std::optional<Lease> AddressPool::acquire(std::string_view common_name) {
  const std::string_view name = settings_.duplicate_cn ? std::string_view{} : common_name;
  const std::optional<std::uint64_t> index = choose(name);
  if (!index) return std::nullopt;

  Entry& entry = entries_[*index];
  RW_ASSERT(!entry.in_use);
  if (entry.released_key) released_.erase(*entry.released_key);
  entry.released_key.reset();
  entry.in_use = true;
  rename(*index, entry, name);
  return lease_at(*index);
}

std::optional<std::uint64_t> AddressPool::choose(std::string_view common_name) {
  if (!common_name.empty()) {
    const auto known = by_name_.find(std::string(common_name));
    if (known != by_name_.end() && !entries_.at(known->second).in_use) return known->second;
  }
  // Where names claim nothing, the lowest free address is as good as any and keeps the set small.
  if (settings_.duplicate_cn && !released_.empty()) return released_.begin()->second;

  // A fresh address leaves the old ones to their names, as long as the memory for names lasts.
  while (released_.size() < settings_.remembered_max && next_fresh_ < size_) {
    const std::uint64_t index = next_fresh_++;
    if (!entries_.contains(index)) return index;
  }
  if (released_.empty()) return std::nullopt;
  return released_.begin()->second;
}

void AddressPool::release(const Lease& lease) {
  if (!lease.index) return;
  const auto found = entries_.find(*lease.index);
  RW_ASSERT(found != entries_.end());
  RW_ASSERT(found->second.in_use);
  put_back(found->first, found->second);
}

void AddressPool::put_back(std::uint64_t index, Entry& entry) {
  entry.in_use = false;
  entry.released_key = settings_.duplicate_cn ? index : release_count_++;
  released_[*entry.released_key] = index;
}

void AddressPool::rename(std::uint64_t index, Entry& entry, std::string_view common_name) {
  if (entry.common_name == common_name) return;
  const auto old = by_name_.find(entry.common_name);
  if (old != by_name_.end() && old->second == index) by_name_.erase(old);
  entry.common_name = common_name;
  // A second session of the same name (its first address is still in use) does not take the claim.
  if (!common_name.empty()) by_name_.try_emplace(entry.common_name, index);
}

std::string AddressPool::leases_text() const {
  std::string text;
  for (const auto& [index, entry] : entries_) {
    if (!is_persistable(entry.common_name)) continue;
    const Lease lease = lease_at(index);
    text += entry.common_name + "," + (lease.v4 ? lease.v4->to_string() : "") + "," +
            (lease.v6 ? lease.v6->to_string() : "") + "\n";
  }
  return text;
}

std::optional<std::uint64_t> AddressPool::index_of(const IpAddress& address) const {
  const std::optional<IpAddress>& base = address.is_v4() ? base_v4_ : base_v6_;
  const std::optional<Prefix>& network =
      address.is_v4() ? settings_.network_v4 : settings_.network_v6;
  if (!base || !network->contains(address) || address < *base) return std::nullopt;
  const std::uint64_t index =
      load_be64(address.bytes().data() + 8) - load_be64(base->bytes().data() + 8);
  if (index >= size_) return std::nullopt;
  return index;
}

Lease AddressPool::lease_at(std::uint64_t index) const {
  Lease lease{.index = index, .v4 = std::nullopt, .v6 = std::nullopt};
  if (base_v4_) lease.v4 = base_v4_->plus(index);
  if (base_v6_) lease.v6 = base_v6_->plus(index);
  return lease;
}

}  // namespace ringway

#include "control/address_pool.h"

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "control/config/tunnel_addresses.h"

namespace ringway {

namespace {

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
  size_ = settings.v4 || settings.v6 ? std::numeric_limits<std::uint64_t>::max() : 0;
  if (settings.v4) size_ = std::min(size_, size_of(*settings.v4));
  if (settings.v6) size_ = std::min(size_, size_of(*settings.v6));
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
    const std::optional<IpAddress>& address = v4 && settings_.v4 ? v4 : v6;
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

void AddressPool::reserve(std::string_view name, const std::optional<IpAddress>& v4,
                          const std::optional<IpAddress>& v6) {
  std::set<std::uint64_t> wanted;
  for (const std::optional<IpAddress>& address : {v4, v6}) {
    const std::optional<std::uint64_t> index = address ? index_of(*address) : std::nullopt;
    if (index) wanted.insert(*index);
  }
  const auto found = reserved_by_name_.find(std::string(name));
  const std::set<std::uint64_t> before =
      found == reserved_by_name_.end() ? std::set<std::uint64_t>{} : found->second;
  if (wanted == before) return;
  if (before.empty() && reserved_by_name_.size() >= kReservedNamesMax) return;

  for (const std::uint64_t index : wanted) hold_back(index);
  for (const std::uint64_t index : before) give_free(index);
  if (wanted.empty()) {
    reserved_by_name_.erase(found);
  } else {
    reserved_by_name_[std::string(name)] = std::move(wanted);
  }
}

void AddressPool::hold_back(std::uint64_t index) {
  if (reserved_[index]++ > 0) return;
  const auto entry = entries_.find(index);
  if (entry == entries_.end() || !entry->second.released_key) return;
  released_.erase(*entry->second.released_key);
  entry->second.released_key.reset();
}

void AddressPool::give_free(std::uint64_t index) {
  const auto found = reserved_.find(index);
  RW_ASSERT(found != reserved_.end());
  if (--found->second > 0) return;
  reserved_.erase(found);
  const auto entry = entries_.find(index);
  if (entry != entries_.end()) {
    if (!entry->second.in_use) put_back(index, entry->second);
  } else if (index < next_fresh_) {
    // It was passed over while it was reserved.
    put_back(index, entries_[index]);
  }
}

std::optional<Lease> AddressPool::acquire(std::string_view common_name) {
  const std::string_view name = settings_.duplicate_cn ? std::string_view{} : common_name;
  const std::optional<std::uint64_t> own = reserved_free(common_name);
  const std::optional<std::uint64_t> index = own ? own : choose(name);
  if (!index) return std::nullopt;

  Entry& entry = entries_[*index];
  RW_ASSERT(!entry.in_use);
  if (entry.released_key) released_.erase(*entry.released_key);
  entry.released_key.reset();
  entry.in_use = true;
  rename(*index, entry, name);
  return at(*index);
}

std::optional<std::uint64_t> AddressPool::reserved_free(std::string_view common_name) const {
  const auto found = reserved_by_name_.find(std::string(common_name));
  if (found == reserved_by_name_.end() || common_name.empty()) return std::nullopt;
  for (const std::uint64_t index : found->second) {
    if (!is_in_use(index)) return index;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> AddressPool::choose(std::string_view common_name) {
  if (!common_name.empty()) {
    const auto known = by_name_.find(std::string(common_name));
    if (known != by_name_.end() && !is_in_use(known->second) &&
        !reserved_.contains(known->second)) {
      return known->second;
    }
  }
  // Where names claim nothing, the lowest free address is as good as any and keeps the set small.
  if (settings_.duplicate_cn && !released_.empty()) return released_.begin()->second;

  // A fresh address leaves the old ones to their names, as long as the memory for names lasts.
  while (released_.size() < settings_.remembered_max && next_fresh_ < size_) {
    const std::uint64_t index = next_fresh_++;
    if (!entries_.contains(index) && !reserved_.contains(index)) return index;
  }
  if (released_.empty()) return std::nullopt;
  return released_.begin()->second;
}

bool AddressPool::is_in_use(std::uint64_t index) const {
  const auto entry = entries_.find(index);
  return entry != entries_.end() && entry->second.in_use;
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
  if (reserved_.contains(index)) return;
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
    const Lease lease = at(index);
    text += entry.common_name + "," + (lease.v4 ? lease.v4->to_string() : "") + "," +
            (lease.v6 ? lease.v6->to_string() : "") + "\n";
  }
  return text;
}

std::size_t AddressPool::in_use_count() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(entries_, [](const auto& entry) { return entry.second.in_use; }));
}

std::optional<std::uint64_t> AddressPool::index_of(const IpAddress& address) const {
  const std::optional<AddressRange>& range = address.is_v4() ? settings_.v4 : settings_.v6;
  if (!range || address < range->first || range->last < address) return std::nullopt;
  const std::uint64_t index = size_of({.first = range->first, .last = address}) - 1;
  if (index >= size_) return std::nullopt;
  return index;
}

Lease AddressPool::at(std::uint64_t index) const {
  Lease lease{.index = index, .v4 = std::nullopt, .v6 = std::nullopt};
  if (settings_.v4) lease.v4 = settings_.v4->first.plus(index);
  if (settings_.v6) lease.v6 = settings_.v6->first.plus(index);
  return lease;
}

}  // namespace ringway

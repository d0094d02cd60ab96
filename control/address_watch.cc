#include "control/address_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "control/config/config_derive.h"
#include "control/listener_names.h"

namespace ringway {
namespace {

std::string prefix_text(const LinkAddress& address) {
  const auto prefix =
      Prefix::parse(fmt::format("{}/{}", address.address.to_string(), address.prefix_length), true);
  return prefix ? prefix->to_string() : "";
}

std::string_view record_of(const IpAddress& address) { return address.is_v4() ? "A" : "AAAA"; }

const HostLink* link_named(const std::vector<HostLink>& links, std::string_view name) {
  const auto found = std::ranges::find(links, name, &HostLink::name);
  return found == links.end() ? nullptr : &*found;
}

}  // namespace

AddressWatch::AddressWatch(const ServerConfig& config, std::string own_device,
                           std::vector<HostLink> links)
    : listens_(config.listen),
      bind_device_(config.outside.device),
      own_device_(std::move(own_device)),
      links_(std::move(links)) {
  for (const ListenConfig& listen : listens_) {
    if (listen.address) continue;
    serves_all_v4_ = serves_all_v4_ || listen.family != LinkFamily::V6Only;
    serves_all_v6_ = serves_all_v6_ || listen.family != LinkFamily::V4Only;
  }
}

void AddressWatch::handle_links(std::vector<HostLink> links, Instant now) {
  handle_timeout(now);
  if (links == links_) return;
  std::vector<IpAddress> seen;
  for (const ListenConfig& listen : listens_) {
    // One line for the ports of an address.
    if (!listen.address || std::ranges::find(seen, *listen.address) != seen.end()) continue;
    seen.push_back(*listen.address);
    compare_listener(listen, links, now);
  }
  compare_device(links, now);
  compare_all(links, now);
  compare_links(links, now);
  links_ = std::move(links);
}

AddressWatch::Place AddressWatch::find(const std::vector<HostLink>& links,
                                       const IpAddress& address) {
  for (const HostLink& link : links) {
    const auto found = std::ranges::find(link.addresses, address, &LinkAddress::address);
    if (found != link.addresses.end()) return {.link = &link, .address = &*found};
  }
  return {};
}

void AddressWatch::compare_listener(const ListenConfig& listen, const std::vector<HostLink>& links,
                                    Instant now) {
  const std::string text = listen.address->to_string();
  const Place before = find(links_, *listen.address);
  const Place after = find(links, *listen.address);
  if (before.link != nullptr && after.link == nullptr) {
    note(AddressNote::Level::Warning,
         fmt::format("local {} is gone from {}: clients that use it cannot be answered until it "
                     "returns",
                     text, before.link->name),
         now);
  } else if (before.link == nullptr && after.link != nullptr) {
    note(AddressNote::Level::Info,
         fmt::format("local {} is back, on {}: clients are served by it again", text,
                     after.link->name),
         now);
  } else if (after.address != nullptr && after.address->is_deprecated &&
             !before.address->is_deprecated) {
    note(AddressNote::Level::Warning,
         fmt::format("local {} is deprecated: the router has withdrawn its prefix, and it will go; "
                     "`local *` would serve the new one",
                     text),
         now);
  }
}

/// A socket is bound to a device by number: one that comes back under its name is another.
void AddressWatch::compare_device(const std::vector<HostLink>& links, Instant now) {
  if (bind_device_.empty()) return;
  const HostLink* before = link_named(links_, bind_device_);
  const HostLink* after = link_named(links, bind_device_);
  if (before != nullptr && after == nullptr) {
    note(AddressNote::Level::Warning,
         fmt::format("bind-dev {} is gone: no client can be served without it", bind_device_), now);
  } else if (after != nullptr && (before == nullptr || before->index != after->index)) {
    note(AddressNote::Level::Warning,
         fmt::format("bind-dev {} was made anew, and the sockets are bound to the old one: restart "
                     "the server to serve by it",
                     bind_device_),
         now);
  }
}

bool AddressWatch::matters(const HostLink& link, const LinkAddress& address) const {
  if (link.name == own_device_ || (!bind_device_.empty() && link.name != bind_device_)) {
    return false;
  }
  const IpAddress& ip = address.address;
  if (address.is_temporary || is_link_local(ip) || is_loopback(ip)) return false;
  return ip.is_v4() ? serves_all_v4_ : serves_all_v6_;
}

void AddressWatch::compare_all(const std::vector<HostLink>& links, Instant now) {
  for (const HostLink& link : links) {
    for (const LinkAddress& address : link.addresses) {
      if (!matters(link, address)) continue;
      const Place before = find(links_, address.address);
      const std::string text = address.address.to_string();
      if (before.link == nullptr) {
        note(AddressNote::Level::Info,
             fmt::format("{} has the new address {} (in {}), which is served at once; if clients "
                         "use a name, see that its {} record says so",
                         link.name, text, prefix_text(address), record_of(address.address)),
             now);
      } else if (address.is_deprecated && !before.address->is_deprecated) {
        note(AddressNote::Level::Info,
             fmt::format("{} of {} is deprecated: the router has withdrawn its prefix, and it will "
                         "go; take it out of the {} record",
                         text, link.name, record_of(address.address)),
             now);
      }
    }
  }
  for (const HostLink& link : links_) {
    for (const LinkAddress& address : link.addresses) {
      if (!matters(link, address) || find(links, address.address).link != nullptr) continue;
      note(AddressNote::Level::Warning,
           fmt::format("{} is gone from {}: clients that use it connect anew by another address; "
                       "take it out of the {} record",
                       address.address.to_string(), link.name, record_of(address.address)),
           now);
    }
  }
}

void AddressWatch::compare_links(const std::vector<HostLink>& links, Instant now) {
  for (const HostLink& link : links) {
    const HostLink* before = link_named(links_, link.name);
    if (before == nullptr || before->is_up == link.is_up || link.name == own_device_) continue;
    const auto has_listener = [&](const LinkAddress& address) {
      return matters(link, address) || std::ranges::find(listens_, std::optional(address.address),
                                                         &ListenConfig::address) != listens_.end();
    };
    const bool is_affected = link.name == bind_device_ ||
                             std::ranges::any_of(link.addresses, has_listener) ||
                             std::ranges::any_of(before->addresses, has_listener);
    if (!is_affected) continue;
    note(link.is_up ? AddressNote::Level::Info : AddressNote::Level::Warning,
         link.is_up
             ? fmt::format("{} is up again", link.name)
             : fmt::format("{} is down: clients do not reach its addresses by it", link.name),
         now);
  }
}

void AddressWatch::note(AddressNote::Level level, std::string text, Instant now) {
  if (!window_end_) window_end_ = now + kWindow;
  if (window_count_ == kNotesPerWindow) {
    ++left_out_;
    return;
  }
  ++window_count_;
  notes_.push_back({.level = level, .text = std::move(text)});
}

void AddressWatch::handle_timeout(Instant now) {
  if (!window_end_ || now < *window_end_) return;
  window_end_.reset();
  window_count_ = 0;
  const std::size_t left_out = std::exchange(left_out_, 0);
  if (left_out == 0) return;
  notes_.push_back({.level = AddressNote::Level::Info,
                    .text = fmt::format("{} more changes of the host's addresses were not logged; "
                                        "see `ip address`",
                                        left_out)});
}

std::optional<Instant> AddressWatch::poll_timeout() const { return window_end_; }

std::optional<AddressNote> AddressWatch::poll_note() {
  if (notes_.empty()) return std::nullopt;
  AddressNote first = std::move(notes_.front());
  notes_.pop_front();
  return first;
}

}  // namespace ringway

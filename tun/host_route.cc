#include "tun/host_route.h"

#include <algorithm>
#include <charconv>

namespace ringway {
namespace {

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Takes the first word off `text`.
std::string_view take_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(word.size());
  return word;
}

/// One keyword and its value; false when it is none.
bool read_attribute(HostRoute& route, std::string_view name, std::string_view value) {
  if (name == "via" || name == "source") {
    (name == "via" ? route.gateway : route.source) = IpAddress::parse(value);
    return IpAddress::parse(value).has_value();
  }
  const auto amount = number(value);
  if (!amount) return false;
  if (name == "device") route.device = *amount;
  if (name == "metric") route.metric = *amount;
  if (name == "mtu") route.mtu = *amount;
  return name == "device" || name == "metric" || name == "mtu";
}

}  // namespace

std::string HostRoute::to_string() const {
  std::string text = destination.to_string();
  if (is_unreachable) text += " unreachable";
  if (gateway) text += " via " + gateway->to_string();
  if (is_onlink) text += " onlink";
  if (device != 0) text += " device " + std::to_string(device);
  if (source) text += " source " + source->to_string();
  if (metric) text += " metric " + std::to_string(*metric);
  if (mtu != 0) text += " mtu " + std::to_string(mtu);
  return text;
}

std::optional<HostRoute> HostRoute::parse(std::string_view text) {
  const auto destination = Prefix::parse(take_word(text));
  if (!destination) return std::nullopt;
  HostRoute route{.destination = *destination};
  for (std::string_view name = take_word(text); !name.empty(); name = take_word(text)) {
    if (name == "unreachable") {
      route.is_unreachable = true;
    } else if (name == "onlink") {
      route.is_onlink = true;
    } else if (!read_attribute(route, name, take_word(text))) {
      return std::nullopt;
    }
  }
  return route;
}

const HostRoute* find_route(std::span<const HostRoute> routes, const IpAddress& destination,
                            unsigned device) {
  const HostRoute* best = nullptr;
  for (const HostRoute& route : routes) {
    if (device != 0 && route.device == device) continue;
    if (!route.destination.contains(destination)) continue;
    const bool is_longer = best == nullptr || route.destination.length > best->destination.length;
    const bool is_cheaper = !is_longer && route.destination.length == best->destination.length &&
                            route.metric.value_or(0) < best->metric.value_or(0);
    if (is_longer || is_cheaper) best = &route;
  }
  return best;
}

}  // namespace ringway

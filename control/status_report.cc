#include "control/status_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace ringway {

namespace {

/// "2026-11-23 18:30:36"
std::string time_text(UnixTime time, std::int64_t utc_offset) {
  const std::chrono::sys_seconds local{std::chrono::seconds(time.seconds + utc_offset)};
  const auto day = std::chrono::floor<std::chrono::days>(local);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(local - day);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

/// A field must not bring separators or control characters of its own; all else is as in the files
/// of leases and in what programs see, so that the three can be compared.
std::string field(std::string_view peer_text) {
  if (peer_text.empty()) return "UNDEF";
  std::string text(peer_text);
  std::ranges::replace_if(
      text, [](char c) { return c == ',' || static_cast<unsigned char>(c) < ' ' || c == 0x7f; },
      '_');
  return text;
}

std::string text_of(const std::optional<IpAddress>& address) {
  return address ? address->to_string() : std::string();
}

/// What is led to it: an `iroute` is written as a network, even one of a single address.
std::vector<std::string> routes_of(const ClientSummary& client) {
  std::vector<std::string> routes;
  for (const auto& address : {client.address_v4, client.address_v6}) {
    if (address) routes.push_back(address->to_string());
  }
  for (const Prefix& network : client.networks) routes.push_back(network.to_string());
  return routes;
}

std::string version_1(const std::vector<ClientStatus>& clients, UnixTime now,
                      std::int64_t utc_offset) {
  std::string text = fmt::format(
      "OpenVPN CLIENT LIST\nUpdated,{}\n"
      "Common Name,Real Address,Bytes Received,Bytes Sent,Connected Since\n",
      time_text(now, utc_offset));
  for (const ClientStatus& status : clients) {
    text += fmt::format("{},{},{},{},{}\n", field(status.client.common_name),
                        status.client.endpoint.remote.to_string(), status.bytes_received,
                        status.bytes_sent, time_text(status.client.connected_since, utc_offset));
  }
  text += "ROUTING TABLE\nVirtual Address,Common Name,Real Address,Last Ref\n";
  for (const ClientStatus& status : clients) {
    for (const std::string& address : routes_of(status.client)) {
      text += fmt::format("{},{},{},{}\n", address, field(status.client.common_name),
                          status.client.endpoint.remote.to_string(),
                          time_text(status.last_heard, utc_offset));
    }
  }
  return text + "GLOBAL STATS\nMax bcast/mcast queue length,0\nEND\n";
}

std::string client_line(const ClientStatus& status, std::int64_t utc_offset) {
  const ClientSummary& client = status.client;
  return fmt::format("CLIENT_LIST\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\n",
                     field(client.common_name), client.endpoint.remote.to_string(),
                     text_of(client.address_v4), text_of(client.address_v6), status.bytes_received,
                     status.bytes_sent, time_text(client.connected_since, utc_offset),
                     client.connected_since.seconds, field(client.username), client.client_id,
                     client.peer_id.value, client.cipher ? name_of(*client.cipher) : "");
}

std::string version_3(const std::vector<ClientStatus>& clients, UnixTime now,
                      std::int64_t utc_offset) {
  std::string text = fmt::format(
      "TITLE\tRingway {}\nTIME\t{}\t{}\n"
      "HEADER\tCLIENT_LIST\tCommon Name\tReal Address\tVirtual Address\tVirtual IPv6 Address\t"
      "Bytes Received\tBytes Sent\tConnected Since\tConnected Since (time_t)\tUsername\tClient ID\t"
      "Peer ID\tData Channel Cipher\n",
      RINGWAY_VERSION, time_text(now, utc_offset), now.seconds);
  for (const ClientStatus& status : clients) text += client_line(status, utc_offset);
  text +=
      "HEADER\tROUTING_TABLE\tVirtual Address\tCommon Name\tReal Address\tLast Ref\t"
      "Last Ref (time_t)\n";
  for (const ClientStatus& status : clients) {
    for (const std::string& address : routes_of(status.client)) {
      text +=
          fmt::format("ROUTING_TABLE\t{}\t{}\t{}\t{}\t{}\n", address,
                      field(status.client.common_name), status.client.endpoint.remote.to_string(),
                      time_text(status.last_heard, utc_offset), status.last_heard.seconds);
    }
  }
  return text +
         "GLOBAL_STATS\tMax bcast/mcast queue length\t0\nGLOBAL_STATS\tdco_enabled\t0\nEND\n";
}

}  // namespace

std::string status_report(int version, const std::vector<ClientStatus>& clients, UnixTime now,
                          std::int64_t utc_offset) {
  if (version == 1) return version_1(clients, now, utc_offset);
  std::string text = version_3(clients, now, utc_offset);
  if (version == 2) {
    // No field holds a tab (see field()), so versions 2 and 3 differ in nothing else.
    for (char& c : text) {
      if (c == '\t') c = ',';
    }
  }
  return text;
}

}  // namespace ringway

// The forwarder without cryptography that perf/ measures VPNs against. One end listens, the other
// connects; addresses and routes of the TUN device are the caller's business.

#include <fmt/format.h>
#include <getopt.h>

#include <charconv>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "perf/src/floor/forwarder.h"
#include "perf/src/floor/single_forwarder.h"

namespace {

constexpr std::string_view kHelp =
    "floor --listen PORT | --connect ADDRESS --port PORT, and:\n"
    "  --tun NAME            the TUN device to make (default: floor0)\n"
    "  --offloads on|off     on: GSO, GRO, TSO and USO, with all checksums verified (default);\n"
    "                        off: one packet a system call\n"
    "  --threads 1|2         with --offloads off: poll(2), or a thread asleep in each read\n"
    "Moves packets between the TUN device and UDP, 24 bytes in front of each, until a signal.\n";

struct Arguments {
  ringway::floor::LinkSocket::Settings link;
  std::string tun_name = "floor0";
  bool offloads = true;
  bool two_threads = false;
};

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

bool take(Arguments& arguments, int option, std::string_view value) {
  switch (option) {
    case 'l':
      arguments.link.listen_port = parse_port(value).value_or(0);
      return arguments.link.listen_port != 0;
    case 'c': arguments.link.server_address = value; return true;
    case 'p':
      arguments.link.server_port = parse_port(value).value_or(0);
      return arguments.link.server_port != 0;
    case 't': arguments.tun_name = value; return true;
    case 'o': arguments.offloads = value == "on"; return value == "on" || value == "off";
    case 'n': arguments.two_threads = value == "2"; return value == "1" || value == "2";
    default: return false;
  }
}

std::optional<Arguments> parse(int count, char** words) {
  constexpr option kOptions[] = {
      {"listen", required_argument, nullptr, 'l'},   {"connect", required_argument, nullptr, 'c'},
      {"port", required_argument, nullptr, 'p'},     {"tun", required_argument, nullptr, 't'},
      {"offloads", required_argument, nullptr, 'o'}, {"threads", required_argument, nullptr, 'n'},
      {"help", no_argument, nullptr, 'h'},           {nullptr, 0, nullptr, 0}};
  Arguments arguments;
  for (int found = 0; (found = ::getopt_long(count, words, "", kOptions, nullptr)) != -1;) {
    if (!take(arguments, found, optarg == nullptr ? "" : optarg)) return std::nullopt;
  }
  const bool listens = arguments.link.listen_port != 0;
  const bool connects = !arguments.link.server_address.empty() && arguments.link.server_port != 0;
  if (optind != count || listens == connects) return std::nullopt;
  return arguments;
}

int refuse(const ringway::Error& error) {
  fmt::print(stderr, "floor: {}\n", error.to_string());
  return 1;
}

}  // namespace

int main(int count, char** words) {
  auto arguments = parse(count, words);
  if (!arguments) {
    fmt::print(stderr, "{}", kHelp);
    return 2;
  }
  const bool offloads = arguments->offloads;
  arguments->link.gro = offloads;
  auto link = ringway::floor::LinkSocket::open(arguments->link);
  if (!link) return refuse(link.error());
  const auto tun = ringway::TunDevice::open(
      {.name = arguments->tun_name,
       .queue_count = 1,
       .offloads = {.checksum = offloads, .tcp = offloads, .udp = offloads}});
  if (!tun) return refuse(tun.error());
  fmt::print("floor: {} is there\n", tun->name());
  std::fflush(stdout);

  if (offloads) {
    ringway::floor::Forwarder(*link, *tun).run();
  } else if (arguments->two_threads) {
    ringway::floor::SingleForwarder(*link, *tun).run_blocking();
  } else {
    ringway::floor::SingleForwarder(*link, *tun).run_polling();
  }
}

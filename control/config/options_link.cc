#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "control/config/config_derive.h"
#include "control/config/option_table.h"
#include "control/config/option_values.h"

/// The outside: addresses, ports, sockets.
namespace ringway {
namespace {

constexpr std::uint64_t kSocketBufferMax = std::uint64_t{1} << 30;

constexpr std::array<std::string_view, 9> kProtos = {
    "udp", "udp4", "udp6", "tcp", "tcp-server", "tcp4", "tcp4-server", "tcp6", "tcp6-server"};

Result<void> check_proto(const ConfigLine& line, std::size_t index) {
  const std::string& proto = line.parameter(index);
  if (std::ranges::find(kProtos, proto) != kProtos.end()) return {};
  if (proto.starts_with("tcp") && proto.ends_with("-client")) {
    return refused_value(line, "is a client's",
                         fmt::format("write `proto {}`", proto.substr(0, proto.find('-'))));
  }
  return bad_value(line, index, "udp or tcp (IPv4 and IPv6), udp4, udp6, tcp4 or tcp6");
}

Result<void> apply_proto(ConfigDraft& draft, const ConfigLine& line) {
  if (auto checked = check_proto(line, 1); !checked) return checked;
  draft.proto = line.parameter(1);
  return {};
}

std::optional<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (problem != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

/// `N` or `N-M`.
Result<PortRange> ports_at(const ConfigLine& line, std::size_t index) {
  const std::string_view text = line.parameter(index);
  const std::size_t dash = text.find('-');
  const auto first = port_of(text.substr(0, dash));
  const auto last = dash == text.npos ? first : port_of(text.substr(dash + 1));
  if (!first || !last || *last < *first) {
    return bad_value(line, index,
                     "a port, 1 to 65535, or a range with the lower port first, as 1194-1203");
  }
  return PortRange{.first = *first, .last = *last};
}

Result<void> apply_port(ConfigDraft& draft, const ConfigLine& line) {
  const Result<PortRange> ports = ports_at(line, 1);
  if (!ports) return std::unexpected(ports.error());
  draft.ports = *ports;
  return {};
}

/// RFC 1123 2.1, and the underscore that is found in practice. What has digits and dots alone is an
/// address with a fault, and no name.
bool is_host_name(std::string_view text) {
  constexpr std::size_t kNameSizeMax = 253;
  if (text.empty() || text.size() > kNameSizeMax || text.front() == '-' || text.front() == '.') {
    return false;
  }
  const auto is_letter = [](char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; };
  const auto is_other = [](char c) { return (c >= '0' && c <= '9') || c == '.' || c == '-'; };
  return std::ranges::any_of(text, is_letter) &&
         std::ranges::all_of(text, [&](char c) { return is_letter(c) || is_other(c) || c == '_'; });
}

/// `ADDRESS`, `[ADDRESS]`, `ADDRESS%INTERFACE` or a name. An IPv6 address may stand in brackets, as
/// it has to where a port follows it.
Result<void> read_local_address(const ConfigLine& line, LocalLine& local) {
  std::string_view text = line.parameter(1);
  const bool has_brackets = text.starts_with('[') && text.ends_with(']');
  if (has_brackets) text = text.substr(1, text.size() - 2);
  const std::size_t percent = text.find('%');
  const auto address = IpAddress::parse(text.substr(0, percent));
  if (!address && !has_brackets && is_host_name(text)) {
    local.host = text;
    return {};
  }
  if (!address || (has_brackets && address->is_v4())) {
    return bad_value(line, 1, "an IPv4 or IPv6 address of this host, a name of it, or *");
  }
  local.address = address;
  if (percent == text.npos) return {};
  local.scope = text.substr(percent + 1);
  if (!is_link_local(*address) || local.scope.empty()) {
    return bad_value(line, 1,
                     "an interface after % for a link-local address alone, as fe80::1%eth0");
  }
  return {};
}

Result<void> apply_local(ConfigDraft& draft, const ConfigLine& line) {
  LocalLine local{.where = line.where};
  if (line.parameter(1) != "*") {
    if (auto read = read_local_address(line, local); !read) return read;
  }
  if (line.parameter_count() >= 2) {
    const Result<PortRange> ports = ports_at(line, 2);
    if (!ports) return std::unexpected(ports.error());
    local.ports = *ports;
  }
  if (line.parameter_count() >= 3) {
    if (auto checked = check_proto(line, 3); !checked) return checked;
    local.proto = line.parameter(3);
  }
  // The command line wins over the file: its first `local` replaces those of the file.
  if (line.from_command_line && !draft.locals_from_command_line) {
    draft.locals.clear();
    draft.locals_from_command_line = true;
  }
  if (draft.locals.size() == kListenersMax) {
    return refused_value(line, fmt::format("is one too many: {} are allowed", kListenersMax),
                         "listen on all addresses with one `local *`");
  }
  draft.locals.push_back(std::move(local));
  return {};
}

Result<void> apply_bind(ConfigDraft& draft, const ConfigLine& line) {
  if (line.parameter_count() == 0) return {};
  if (line.parameter(1) != "ipv6only") return bad_value(line, 1, "ipv6only or nothing");
  draft.bind_ipv6_only = true;
  return {};
}

Result<void> apply_send_buffer(ConfigDraft& draft, const ConfigLine& line) {
  const auto size = number_at(line, 1, {0, kSocketBufferMax});
  if (!size) return std::unexpected(size.error());
  draft.config.send_buffer = static_cast<std::uint32_t>(*size);
  return {};
}

Result<void> apply_receive_buffer(ConfigDraft& draft, const ConfigLine& line) {
  const auto size = number_at(line, 1, {0, kSocketBufferMax});
  if (!size) return std::unexpected(size.error());
  draft.config.receive_buffer = static_cast<std::uint32_t>(*size);
  return {};
}

Result<void> apply_tcp_nodelay(ConfigDraft& draft, const ConfigLine&) {
  draft.push.emplace_back("socket-flags TCP_NODELAY");
  return {};
}

Result<void> apply_passtos(ConfigDraft& draft, const ConfigLine&) {
  draft.config.tunnel.passtos = true;
  return {};
}

Result<void> apply_bind_device(ConfigDraft& draft, const ConfigLine& line) {
  constexpr std::size_t kDeviceNameSizeMax = 15;  // IFNAMSIZ, without its NUL.
  const std::string& device = line.parameter(1);
  if (device.empty() || device.size() > kDeviceNameSizeMax ||
      device.find_first_of("/ \t") != device.npos) {
    return bad_value(line, 1, "the name of an interface or a VRF, of at most 15 bytes");
  }
  draft.config.outside.device = device;
  return {};
}

/// Decimal as with OpenVPN, or in the form in which `ip rule` and nft show it.
Result<void> apply_mark(ConfigDraft& draft, const ConfigLine& line) {
  std::string_view digits = line.parameter(1);
  const bool is_hex = digits.starts_with("0x") || digits.starts_with("0X");
  if (is_hex) digits.remove_prefix(2);
  const char* end = digits.data() + digits.size();
  std::uint32_t mark = 0;
  const auto [rest, problem] = std::from_chars(digits.data(), end, mark, is_hex ? 16 : 10);
  if (problem != std::errc{} || rest != end) {
    return bad_value(line, 1, "a number of 32 bits, as 42 or 0x2a");
  }
  draft.config.outside.mark = mark;
  return {};
}

constexpr std::array kRows = {
    works(
        "proto", "udp|udp4|udp6|tcp|tcp4|tcp6", {1, 1}, apply_proto,
        "`udp` serves IPv4 and IPv6 (OpenVPN: IPv4 only), `udp4` IPv4 only, `udp6` both, or IPv6 "
        "only with `bind ipv6only`; `tcp`, `tcp4` and `tcp6` the same over TCP. `tcp-server`, "
        "`tcp4-server` and `tcp6-server` are the same as those. For both protocols at once, write "
        "`local` lines with a protocol each."),
    works("port", "N[-M]", {1, 1}, apply_port,
          "UDP or TCP port, or a range of ports that are all served; 1194 by default."),
    works("lport", "N[-M]", {1, 1}, apply_port, "The same as `port`."),
    works(
        "local", "ADDRESS|NAME|* [N[-M] [PROTO]]", {1, 3}, apply_local,
        "Address to listen on, with its own port or range of ports and its own `proto`; every "
        "address by default. A name is looked up at the start, and all its addresses of the wanted "
        "families are served. A link-local address names its interface: `fe80::1%eth0`. May be "
        "repeated. All lines, addresses and ports together may make 16 listeners. `local` on the "
        "command line replaces those of the file. An address that this host loses is served again "
        "when it returns."),
    works("bind", "[ipv6only]", {0, 1}, apply_bind, "`ipv6only`: with `proto udp6`, no IPv4."),
    works("sndbuf", "BYTES", {1, 1}, apply_send_buffer,
          "Send buffer of the UDP sockets; 0 leaves the choice to Ringway."),
    works("rcvbuf", "BYTES", {1, 1}, apply_receive_buffer,
          "Receive buffer of the UDP sockets; 0 leaves the choice to Ringway."),
    works("bind-dev", "DEVICE", {1, 1}, apply_bind_device,
          "Serves by this interface, or in this VRF, alone: SO_BINDTODEVICE on every socket."),
    works("mark", "N", {1, 1}, apply_mark,
          "Firewall mark (SO_MARK) of all that is sent outside the tunnel, for `ip rule` and nft; "
          "decimal, or hexadecimal with 0x."),
    works("passtos", "", {0, 0}, apply_passtos,
          "UDP packets have the DSCP of the packet inside, of either family. ECN is no part of it "
          "and follows RFC 6040 without it."),
    no_effect("float", "is always on: a session follows its client to another address or family"),
    no_effect("multihome", "is always on: a reply leaves from the address that was addressed"),
    no_effect("fast-io", "is for OpenVPN's event loop; Ringway sends in batches anyway"),
    no_effect("socket-flags", "has TCP_NODELAY in mind, which is always on"),
    works("tcp-nodelay", "", {0, 0}, apply_tcp_nodelay,
          "Pushes `socket-flags TCP_NODELAY`, so that clients do not hold packets back either. At "
          "the server it is always on."),
    no_effect("tcp-queue-limit",
              "counts packets: what waits for a slow TCP client is limited in bytes and in age"),
    refused("port-share", "is not served",
            "let the web server have its port to itself, and delete the line"),
    refused("nobind", "makes no sense for a server, which clients must find at a known port",
            "delete the line"),
    refused("mtu-disc", "is not served: Ringway chooses how it finds the path's MTU by itself",
            "delete the line, and write `mssfix N mtu` for a narrow path"),
};

}  // namespace

std::span<const OptionRow> link_options() { return kRows; }

}  // namespace ringway

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "control/config/option_table.h"
#include "control/config/option_values.h"

/// The outside: addresses, ports, sockets.
namespace ringway {
namespace {

constexpr std::uint64_t kSocketBufferMax = std::uint64_t{1} << 30;

Result<void> check_proto(const ConfigLine& line, std::size_t index) {
  const std::string& proto = line.parameter(index);
  if (proto == "udp" || proto == "udp4" || proto == "udp6") return {};
  if (proto.starts_with("tcp")) {
    const char* family = proto.starts_with("tcp4")   ? "udp4"
                         : proto.starts_with("tcp6") ? "udp6"
                                                     : "udp";
    return refused_value(line, "is refused: TCP is not served yet",
                         fmt::format("write `proto {}` here and in the clients", family));
  }
  return bad_value(line, index, "udp (IPv4 and IPv6), udp4 or udp6");
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

/// An IPv6 address may stand in brackets, as it has to where a port follows it.
std::optional<IpAddress> local_address_of(std::string_view text) {
  if (!text.starts_with('[') || !text.ends_with(']')) return IpAddress::parse(text);
  const auto address = IpAddress::parse(text.substr(1, text.size() - 2));
  return address && !address->is_v4() ? address : std::nullopt;
}

Result<void> apply_local(ConfigDraft& draft, const ConfigLine& line) {
  LocalLine local{.address = {}, .ports = {}, .proto = {}, .where = line.where};
  if (line.parameter(1) != "*") {
    local.address = local_address_of(line.parameter(1));
    if (!local.address) {
      return bad_value(line, 1, "an IPv4 or IPv6 address of this host (no name) or *");
    }
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

constexpr std::string_view kUdpOnly = "concerns TCP, and Ringway serves UDP";

constexpr std::array kRows = {
    works("proto", "udp|udp4|udp6", {1, 1}, apply_proto,
          "`udp` serves IPv4 and IPv6 (OpenVPN: IPv4 only), `udp4` IPv4 only, `udp6` both, or IPv6 "
          "only with `bind ipv6only`. The tcp forms are refused: TCP is not served yet."),
    works("port", "N[-M]", {1, 1}, apply_port,
          "UDP port, or a range of ports that are all served; 1194 by default."),
    works("lport", "N[-M]", {1, 1}, apply_port, "The same as `port`."),
    works(
        "local", "ADDRESS|* [N[-M] [PROTO]]", {1, 3}, apply_local,
        "Address to listen on, with its own port or range of ports; every address by default. May "
        "be repeated. All lines and ports together may make 16 listeners. `local` on the command "
        "line replaces those of the file."),
    works("bind", "[ipv6only]", {0, 1}, apply_bind, "`ipv6only`: with `proto udp6`, no IPv4."),
    works("sndbuf", "BYTES", {1, 1}, apply_send_buffer,
          "Send buffer of the UDP sockets; 0 leaves the choice to Ringway."),
    works("rcvbuf", "BYTES", {1, 1}, apply_receive_buffer,
          "Receive buffer of the UDP sockets; 0 leaves the choice to Ringway."),
    no_effect("float", "is not served yet: a client whose address changes logs in again"),
    no_effect("multihome", "is always on: a reply leaves from the address that was addressed"),
    no_effect("fast-io", "is for OpenVPN's event loop; Ringway sends in batches anyway"),
    no_effect("socket-flags", kUdpOnly),
    no_effect("tcp-nodelay", kUdpOnly),
    no_effect("tcp-queue-limit", kUdpOnly),
    no_effect("passtos", "is not served: tunnel packets are sent with the default service class"),
    refused("port-share", "is refused: TCP is not served yet",
            "let the web server have its port to itself, and delete the line"),
    refused("nobind", "makes no sense for a server, which clients must find at a known port",
            "delete the line"),
    refused("mark", "is not served yet: routing policy that relies on it would miss",
            "delete the line, and match the port in the policy rule instead (ip rule ipproto udp "
            "sport N)"),
    refused("bind-dev", "is not served yet: the server would be reachable by other interfaces too",
            "write `local ADDRESS` with the interface's address"),
    refused("mtu-disc", "is not served: Ringway chooses how it finds the path's MTU by itself",
            "delete the line, and write `mssfix N mtu` for a narrow path"),
};

}  // namespace

std::span<const OptionRow> link_options() { return kRows; }

}  // namespace ringway

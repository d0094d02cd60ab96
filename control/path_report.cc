#include "control/path_report.h"

#include <fmt/format.h>

#include "base/log.h"

namespace ringway {

std::string path_text(std::uint16_t path_mtu, bool is_proven) {
  // So large is no packet: a stream has no limit.
  if (path_mtu == 0xffff) return "path MTU unlimited";
  return fmt::format("path MTU {} ({})", path_mtu, is_proven ? "proven" : "assumed");
}

std::string path_report(const std::vector<ClientStatus>& clients) {
  std::string report;
  for (const ClientStatus& status : clients) {
    if (status.path_mtu == 0) continue;
    report += fmt::format("{} {}: {}\n", log::escape(status.client.common_name),
                          status.client.endpoint.remote.to_string(),
                          path_text(status.path_mtu, status.path_is_proven));
  }
  return report;
}

}  // namespace ringway

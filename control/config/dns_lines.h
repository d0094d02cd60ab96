#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"

namespace ringway {

/// One name server group: `dns server N ...`, or all `dhcp-option DNS` together. Pure value.
struct DnsServer {
  static constexpr std::size_t kAddressesMax = 8;
  enum class Security : std::uint8_t { Unset, No, Optional, Yes };
  enum class Transport : std::uint8_t { Plain, Tls, Https };

  /// Lower ones come first.
  int id = 0;
  /// Port 0: the usual one.
  std::vector<Endpoint> addresses;
  /// Only names in these are asked here; none: all names.
  std::vector<std::string> resolve_domains;
  Security dnssec = Security::Unset;
  Transport transport = Transport::Plain;
  /// Whose certificate is wanted under Tls and Https.
  std::string server_name;

  friend bool operator==(const DnsServer&, const DnsServer&) = default;
};

/// What `dhcp-option` and `dns` lines say, of the profile and pushed. Pure value.
class DnsLines {
 public:
  static constexpr std::size_t kServersMax = 8;
  static constexpr std::size_t kDomainsMax = 32;
  static constexpr std::size_t kForeignMax = 64;

  /// Takes `dhcp-option TYPE VALUE` or `dns ...`. False: a kind that says nothing to this system.
  /// The error is the rest of a sentence that begins with the option.
  std::expected<bool, std::string> add(std::span<const std::string> words);
  /// What `pushed` says on top of what the profile says: its servers replace those of the same
  /// number, its other lines come behind.
  void merge(const DnsLines& pushed);

  /// By number. Where there are `dns` lines, those of `dhcp-option` do not count, as in OpenVPN.
  [[nodiscard]] std::vector<DnsServer> servers() const;
  [[nodiscard]] std::vector<std::string> search_domains() const;
  /// The `dhcp-option` lines as they are handed to scripts, of whatever kind.
  [[nodiscard]] const std::vector<std::string>& foreign_options() const { return foreign_; }
  [[nodiscard]] bool empty() const { return servers().empty() && search_domains().empty(); }

  friend bool operator==(const DnsLines&, const DnsLines&) = default;

 private:
  std::expected<bool, std::string> add_dhcp_option(std::span<const std::string> words);
  std::expected<bool, std::string> add_server(std::span<const std::string> words);

  std::vector<DnsServer> servers_;
  std::vector<std::string> search_;
  std::vector<Endpoint> dhcp_addresses_;
  std::vector<std::string> dhcp_domains_;
  std::vector<std::string> foreign_;
};

/// Letters, digits, dots, hyphens and underscores: what may stand in a resolver's configuration.
bool is_domain_name(std::string_view text);

}  // namespace ringway

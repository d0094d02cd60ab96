#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "control/channel/cipher_negotiation.h"
#include "control/config/client_file.h"
#include "control/server_role.h"

/// What a client's own lines grant it: its addresses, the networks behind it, the end of its
/// session; and how they come to the workers.
namespace ringway {
namespace {

using Level = PlaneEvent::Level;

/// The client's own lines name the address, so that no other one would do.
bool is_fixed_for(const Client& client, const IpAddress& address) {
  const ClientTerms& terms = client.terms;
  if (terms.v4 && terms.v4->address == address) return true;
  if (terms.v6 && terms.v6->address == address) return true;
  return std::ranges::any_of(terms.routes, [&](const ClientRoute& route) {
    return route.network == Prefix::host(address);
  });
}

}  // namespace

/// What is granted to this client alone. Lines that cannot be had as they are meant refuse it:
/// without them it could be given what another is meant to have, or come in where it must not.
std::expected<void, Refusal> ServerRole::apply_terms(Client& client, const PlaneAnswer& answer,
                                                     Now now) {
  if (answer.text.empty()) return {};
  const ClientLineNotes notes = read_client_lines(answer.text, answer.where, client.terms);
  for (const std::string& line : notes.passed_over) {
    log_.add(Level::Info, fmt::format("{}: {}", label_of(client), log::escape(line)), now.instant);
  }
  std::vector<Error> faults = notes.faults;
  for (Error& fault : check_client_terms(client.terms, config_.tunnel)) {
    faults.push_back(std::move(fault));
  }
  if (!faults.empty()) {
    const std::string more =
        faults.size() > 1 ? fmt::format(" (and {} more)", faults.size() - 1) : std::string();
    return std::unexpected(Refusal{.for_log = log::escape(faults.front().to_string()) + more});
  }
  if (!client.terms.disabled_at.empty()) {
    return std::unexpected(
        Refusal{.for_log = fmt::format("{}: `disable`", log::escape(client.terms.disabled_at))});
  }
  for (const std::string& odd : odd_client_terms(client.terms, config_.tunnel)) {
    log_.add(Level::Info, fmt::format("{}: {}", label_of(client), log::escape(odd)), now.instant);
  }
  return {};
}

void ServerRole::foresee(const std::string& name, std::string_view lines, const std::string& where,
                         Now now) {
  ClientTerms terms;
  std::vector<Error> faults = read_client_lines(lines, where, terms).faults;
  for (Error& fault : check_client_terms(terms, config_.tunnel)) faults.push_back(std::move(fault));
  if (!faults.empty()) {
    log_.add(Level::Warning,
             fmt::format("{}; {} will be refused", log::escape(faults.front().to_string()),
                         log::escape(name)),
             now.instant);
  }
  // What many would have nobody has for certain.
  if (name == kDefaultClientFile) return;
  std::optional<IpAddress> v4;
  std::optional<IpAddress> v6;
  if (terms.v4) v4 = terms.v4->address;
  if (terms.v6) v6 = terms.v6->address;
  pool_.reserve(name, v4, v6);
}

/// Its own lines say what it may have of what the server speaks.
std::expected<void, Refusal> ServerRole::settle_cipher(Client& client) {
  if (!client.terms.ciphers) return {};
  std::vector<DataCipher> allowed = client.terms.ciphers->ciphers;
  std::erase_if(allowed, [&](DataCipher cipher) {
    return std::ranges::find(config_.data_ciphers, cipher) == config_.data_ciphers.end();
  });
  // The cipher of a client that takes none but its own was found when it said which.
  std::optional<DataCipher> chosen;
  if (takes_pushed_cipher(client.peer_info)) {
    chosen = negotiate_cipher(allowed, std::nullopt, client.peer_info, "");
  } else if (std::ranges::find(allowed, client.admission.cipher) != allowed.end()) {
    chosen = client.admission.cipher;
  }
  if (!chosen) {
    return std::unexpected(
        Refusal{.for_client = std::string(kNoSharedCipher),
                .for_log = fmt::format("{}: `data-ciphers` leaves it none that the server and it "
                                       "speak",
                                       log::escape(client.terms.ciphers->where))});
  }
  client.admission.cipher = *chosen;
  return {};
}

/// Fixed addresses first, and the pool for the family that has none. May be called again when the
/// terms have changed.
std::expected<void, Refusal> ServerRole::settle_addresses(Client& client) {
  const std::string& name = client.identity.common_name;
  std::optional<IpAddress> v4;
  std::optional<IpAddress> v6;
  if (client.terms.v4) v4 = client.terms.v4->address;
  if (client.terms.v6) v6 = client.terms.v6->address;
  if (!name.empty()) pool_.reserve(name, v4, v6);
  for (const std::optional<IpAddress>& fixed : {v4, v6}) {
    if (!fixed) continue;
    if (auto free = check_free(client, *fixed); !free) return free;
  }

  const bool wants_pool = (pool_.has_v4() && !v4) || (pool_.has_v6() && !v6);
  if (!wants_pool) {
    pool_.release(client.lease);
    client.lease = {};
  } else if (!client.lease.index) {
    const std::optional<Lease> lease = pool_.acquire(name);
    // One family is better than none.
    if (!lease && !v4 && !v6) {
      return std::unexpected(
          Refusal{.for_client = "the server has no address left",
                  .for_log = fmt::format("the address pool is exhausted ({} leases)", pool_.size()),
                  .is_temporary = true});
    }
    client.lease = lease.value_or(Lease{});
  }
  const Lease pooled = client.lease.index ? pool_.at(*client.lease.index) : Lease{};
  client.lease.v4 = v4 ? v4 : pooled.v4;
  client.lease.v6 = v6 ? v6 : pooled.v6;
  return {};
}

/// Two clients whose lines name one address would take it from each other for ever: the first has
/// it. Another session of the same name, or one that has it of the pool, makes room.
std::expected<void, Refusal> ServerRole::check_free(const Client& client,
                                                    const IpAddress& address) {
  const std::optional<PeerId> owner = routes_.owner(Prefix::host(address));
  const std::optional<ClientId> id = owner ? registry_.find(*owner) : std::nullopt;
  const Client* const other = id ? book_.find(*id) : nullptr;
  if (other == nullptr || other->id == client.id) return {};
  if (other->identity.common_name == client.identity.common_name) return {};
  if (!is_fixed_for(*other, address)) return {};
  return std::unexpected(Refusal{.for_client = "its address is another client's",
                                 .for_log = fmt::format("its address {} is fixed for {}, too",
                                                        address.to_string(), label_of(*other)),
                                 .is_temporary = true});
}

/// What is to be led to it; the last is learned first.
void ServerRole::note_addresses(Client& client, Now now) {
  const std::size_t routes_max = client.terms.routes_max.value_or(config_.routes_per_client_max);
  if (client.terms.routes.size() > routes_max) {
    log_.add(Level::Warning,
             fmt::format("{}: {} networks are behind it, and the first {} are led to it "
                         "(max-routes-per-client)",
                         label_of(client), client.terms.routes.size(), routes_max),
             now.instant);
  }
  std::vector<Prefix> networks;
  for (const std::optional<IpAddress>& address : {client.lease.v4, client.lease.v6}) {
    if (address) networks.push_back(Prefix::host(*address));
  }
  const std::size_t count = std::min(client.terms.routes.size(), routes_max);
  for (std::size_t i = 0; i < count; ++i) {
    const Prefix& network = client.terms.routes[i].network;
    if (std::ranges::find(networks, network) == networks.end()) networks.push_back(network);
  }
  client.inquiry->to_learn.assign(networks.rbegin(), networks.rend());
}

/// The workers lead `network` to the client from now on.
void ServerRole::add_route(const Client& client, const Prefix& network, Now now) {
  const InnerRoutes::Claimed claimed = routes_.claim(network, client.peer_id);
  if (!claimed.has_room) {
    log_.add(Level::Warning,
             fmt::format("{}: nothing is led to it for {}: the server has {} routes to clients, "
                         "and room for no more (max-clients makes room)",
                         label_of(client), network.to_string(), routes_.networks_max()),
             now.instant);
    return;
  }
  if (claimed.former) make_room(client, network, *claimed.former, now);
  handoff_.add_route(network, client.peer_id);
}

void ServerRole::make_room(const Client& client, const Prefix& network, PeerId former, Now now) {
  const std::optional<ClientId> id = registry_.find(former);
  Client* const other = id ? book_.find(*id) : nullptr;
  if (other == nullptr) return;
  const bool is_address = (other->lease.v4 && network == Prefix::host(*other->lease.v4)) ||
                          (other->lease.v6 && network == Prefix::host(*other->lease.v6));
  if (!is_address) {
    log_.add(Level::Warning,
             fmt::format("{}: {} is behind it, and behind {}, which stands back", label_of(client),
                         network.to_string(), label_of(*other)),
             now.instant);
  } else if (other->identity.common_name == client.identity.common_name) {
    // Told to start again, both would take the address from each other for ever.
    remove(*other, fmt::format("{} has its address now", label_of(client)), now);
  } else {
    send_away(*other,
              fmt::format("its address {} is fixed for {}", network.to_string(), label_of(client)),
              now);
    book_.update(*other);
  }
}

void ServerRole::remove_routes(const Client& client) {
  for (const Prefix& network : client.learned) {
    const InnerRoutes::Released released = routes_.release(network, client.peer_id);
    if (!released.was_owner) continue;
    if (released.heir) {
      handoff_.add_route(network, *released.heir);
    } else {
      handoff_.remove_route(network, client.peer_id);
    }
  }
}

void ServerRole::limit_session(Client& client, Now now) {
  const TimerConfig& timers = config_.timers;
  const Duration lasts = client.terms.session_timeout.value_or(timers.session_timeout);
  if (lasts > Duration{0}) client.ends_at = now.instant + lasts;
  const ActivityLimit inactive = client.terms.inactive.value_or(timers.inactive);
  if (inactive.time == Duration{0}) return;
  client.activity.emplace(inactive, now.instant);
  watched_.insert(client.peer_id);
}

}  // namespace ringway

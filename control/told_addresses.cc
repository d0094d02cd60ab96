#include "control/told_addresses.h"

namespace ringway {

void ToldAddresses::begin(const Prefix& address) { ++told_[address].asked; }

bool ToldAddresses::settle(const Prefix& address, ClientId client, bool is_accepted) {
  const auto found = told_.find(address);
  if (found == told_.end()) return false;
  Told& told = found->second;
  --told.asked;
  if (is_accepted) {
    told.owner = client;
    told.is_left = false;
    return false;
  }
  if (told.asked > 0 || (told.owner && !told.is_left)) return false;
  const bool is_known = told.owner.has_value();
  told_.erase(found);
  return is_known;
}

bool ToldAddresses::leave(const Prefix& address, ClientId client) {
  return hand_over(address, client) && release(address);
}

bool ToldAddresses::hand_over(const Prefix& address, ClientId client) {
  const auto found = told_.find(address);
  if (found == told_.end() || found->second.owner != client || found->second.is_left) return false;
  found->second.is_left = true;
  return true;
}

bool ToldAddresses::release(const Prefix& address) {
  const auto found = told_.find(address);
  if (found == told_.end() || !found->second.is_left || found->second.asked > 0) return false;
  told_.erase(found);
  return true;
}

}  // namespace ringway

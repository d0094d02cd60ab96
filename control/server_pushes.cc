#include <fmt/format.h>

#include <utility>

#include "control/push_options.h"
#include "control/server_role.h"

/// What clients are told of their options: at their login, and when the list has changed.
namespace ringway {

using Level = PlaneEvent::Level;

PushReply ServerRole::reply_for(const Client& client,
                                const std::vector<std::string>& pushes) const {
  return assemble_push_reply(config_.tunnel, pushes,
                             {.peer_info = client.peer_info,
                              .admission = client.admission,
                              .lease = client.lease,
                              .terms = client.terms,
                              .peer_id = client.peer_id});
}

PushesChanged ServerRole::change_pushes(std::vector<std::string> pushes, Now now) {
  const std::vector<std::string> former = std::exchange(pushes_, std::move(pushes));
  PushesChanged changed;
  for (const ClientId id : book_.all()) {
    Client& client = *book_.find(id);
    // Who has not been told anything yet will be told what holds now.
    if (client.stage != Client::Stage::Connected || !client.pushed_at) continue;
    const PushChange change =
        PushChange::between(reply_for(client, former).options, reply_for(client, pushes_).options);
    if (change.empty()) continue;
    const bool takes_updates = client.peer_info.has(ProtoBit::PushUpdate);
    if (takes_updates && !change.options.empty()) {
      client.channel.send_push_update(change.options, now);
      book_.update(client);
    }
    const bool is_told = takes_updates && change.unsaid.empty();
    ++(is_told ? changed.told : changed.later);
    log_.add(Level::Debug,
             is_told ? fmt::format("{}: was told what has changed of its options", label_of(client))
                     : fmt::format("{}: takes all of its changed options at its next login",
                                   label_of(client)),
             now.instant);
  }
  return changed;
}

}  // namespace ringway

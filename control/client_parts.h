#pragma once

#include "base/random.h"
#include "control/address_queries.h"
#include "control/client_core.h"
#include "control/client_login.h"
#include "control/config/client_config.h"
#include "control/network_watch.h"
#include "control/signal_inbox.h"
#include "control/undo_journal.h"
#include "dataplane/counters.h"
#include "dataplane/offloads.h"

namespace ringway {

/// What all connections of one client have in common. Borrowed.
struct ClientParts {
  const ClientConfig& config;
  const ClientSettings& settings;
  const TlsWrap& wrap;
  const TlsContext& tls;
  RandomSource& random;
  SignalInbox& signals;
  NetworkWatch& network;
  AddressQueries& queries;
  Counters& counters;
  const Offloads& offloads;
  UndoJournal& journal;
  ClientLogin& login;
};

}  // namespace ringway

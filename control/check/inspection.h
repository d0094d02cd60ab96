#pragma once

#include <vector>

#include "base/time.h"
#include "control/check/finding.h"
#include "control/check/host_facts.h"
#include "control/config/client_files.h"
#include "control/config/config_survey.h"

namespace ringway {

/// Everything that is looked at. References outlive the call.
struct Inspection {
  /// The lines, and the text of the files that they name.
  const ConfigSurvey& survey;
  /// Files that could not be read, each with the line that names it.
  const std::vector<Error>& unreadable;
  /// Null: the file alone is checked.
  const HostFacts* host = nullptr;
  UnixTime now;
  /// The files of `client-config-dir`; null: there is no such line, or no such directory.
  const std::vector<ClientFileText>* client_files = nullptr;
};

/// All findings about a configuration, the gravest first. Pure.
std::vector<Finding> inspect(const Inspection& inspection);

/// The parts of it, each in the file of its name.
void check_lines(const Inspection& inspection, FindingList& findings);
void check_listeners(const Inspection& inspection, FindingList& findings);
void check_sizes(const Inspection& inspection, FindingList& findings);
void check_reachability(const Inspection& inspection, FindingList& findings);
void check_remotes(const Inspection& inspection, FindingList& findings);
void check_certificates(const Inspection& inspection, FindingList& findings);
void check_dco(const Inspection& inspection, FindingList& findings);
void check_networks(const Inspection& inspection, FindingList& findings);
void check_clients(const Inspection& inspection, FindingList& findings);
void check_client_files(const Inspection& inspection, FindingList& findings);
void check_forwarding(const Inspection& inspection, FindingList& findings);
void check_firewall(const Inspection& inspection, FindingList& findings);
void check_process(const Inspection& inspection, FindingList& findings);

}  // namespace ringway

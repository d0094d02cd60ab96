#include "control/check/inspection.h"

namespace ringway {

std::vector<Finding> inspect(const Inspection& inspection) {
  FindingList findings;
  check_lines(inspection, findings);
  check_certificates(inspection, findings);
  check_clients(inspection, findings);
  check_sizes(inspection, findings);
  check_dco(inspection, findings);
  if (inspection.survey.kind == ConfigKind::Server) {
    check_listeners(inspection, findings);
    check_networks(inspection, findings);
    check_client_files(inspection, findings);
  } else {
    check_remotes(inspection, findings);
  }
  if (inspection.host != nullptr) {
    if (inspection.survey.kind == ConfigKind::Server) {
      check_reachability(inspection, findings);
      check_forwarding(inspection, findings);
      check_firewall(inspection, findings);
    }
    check_process(inspection, findings);
  }
  return findings.take();
}

}  // namespace ringway

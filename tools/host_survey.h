#pragma once

#include "control/check/host_facts.h"
#include "control/config/config_survey.h"

namespace ringway {

/// What `ringway check` wants to know of this machine for the configuration. SHELL: reads /proc,
/// asks the kernel over netlink, runs `nft`, looks up names (for at most a few seconds) and looks
/// at files; changes nothing. What cannot be found out stays unset.
HostFacts survey_host(const ConfigSurvey& survey);

}  // namespace ringway

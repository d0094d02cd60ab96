#pragma once

#include <vector>

#include "base/error.h"
#include "control/config/config_lexer.h"
#include "dataplane/channel/data_cipher.h"

namespace ringway {

/// What the first parameter of `data-ciphers` names, the best first. The error says what to write
/// in place of names that Ringway does not speak. Pure.
Result<std::vector<DataCipher>> cipher_list_of(const ConfigLine& line);

}  // namespace ringway

#pragma once

#include <memory>
#include <string>

#include "base/secret_text.h"

namespace ringway {

/// The name and the password, or a token in its place, by which a client shows who it is besides
/// its certificate. Never changed once it is shared.
struct Login {
  std::string username;
  SecretText password;
};
/// Null: the certificate alone.
using SharedLogin = std::shared_ptr<const Login>;

}  // namespace ringway

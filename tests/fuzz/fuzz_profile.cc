#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "control/config/profile_parser.h"

// A client's profile, which strangers send each other, cut at NUL bytes: the profile, a file that
// it may include, an `auth-user-pass` file, and options of the command line. Whatever is refused
// says where, why and what to do; whatever is accepted names a server, and keeps within limits.

namespace ringway {
namespace {

void check_error(const Error& error) {
  RW_ASSERT(!error.what.empty());
  RW_ASSERT(!error.where.empty());
  RW_ASSERT(!error.advice.empty());
}

void check_profile(const ClientConfig& config) {
  RW_ASSERT(!config.remotes.empty() && config.remotes.size() <= kRemotesMax);
  for (const RemoteConfig& remote : config.remotes) {
    RW_ASSERT(!remote.host.empty());
    RW_ASSERT(remote.port != 0);
    RW_ASSERT(remote.connect_timeout > Duration{0});
  }
  RW_ASSERT(!config.data_ciphers.empty());
  RW_ASSERT(config.network.routes.size() <= NetworkLines::kRoutesMax);
  RW_ASSERT(config.retry.wait <= config.retry.wait_max);
  for (const std::string& variable : config.scripts.environment) {
    RW_ASSERT(variable.find('=') != std::string::npos && variable.front() != '=');
  }
}

void check_login(const std::string& text) {
  const FileOrInline file{.path = "", .text = text, .is_inline = true, .where = "login"};
  const Result<UserPassword> login = read_user_password(file);
  if (!login) return check_error(login.error());
  RW_ASSERT(login->username.find('\n') == std::string::npos);
  RW_ASSERT(login->password.view().find('\n') == std::string_view::npos);
}

}  // namespace
}  // namespace ringway

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ringway;
  std::vector<std::string> parts(1);
  for (const char c : text_of(Bytes(data, size))) {
    if (c == 0) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  parts.resize(std::max<std::size_t>(parts.size(), 3));
  const FileReader read = [&](const std::string& path) -> Result<std::string> {
    if (path != "included") return fail("cannot open " + path);
    return parts[1];
  };
  const std::vector<std::string> options(parts.begin() + 3, parts.end());
  const Result<ClientConfig> config = parse_client_profile(parts[0], "a.ovpn", options, read);
  config ? check_profile(*config) : check_error(config.error());
  check_login(parts[2]);
  return 0;
}

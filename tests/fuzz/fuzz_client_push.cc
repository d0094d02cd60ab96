#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "control/client_push.h"
#include "control/push_change.h"
#include "control/server_notice.h"

// What a server, perhaps a hostile one, says to a client once TLS is there: options, one a line, as
// a PUSH_REPLY has them, and the reasons of RESTART and AUTH_FAILED; and how one list of options
// becomes another.
namespace {

using Options = std::vector<std::string>;

Options of_name(const Options& options, std::string_view name) {
  Options found;
  for (const std::string& option : options) {
    if (std::string_view(option).substr(0, option.find(' ')) == name) found.push_back(option);
  }
  return found;
}

/// A client that does what a PUSH_UPDATE says has what the server has now, as far as that can be
/// said.
void change(const Options& before, const Options& after) {
  using namespace ringway;
  const PushChange change = PushChange::between(before, after);
  const auto updated = apply_push_update({.options = before}, {.options = change.options});
  RW_ASSERT(updated);
  for (const std::string& option : after) {
    const std::string name = option.substr(0, option.find(' '));
    if (std::ranges::find(change.unsaid, name) != change.unsaid.end()) continue;
    RW_ASSERT(of_name(updated->options, name) == of_name(after, name));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ringway;
  const std::string_view text = text_of(Bytes(data, size));
  PushReply reply;
  std::string_view rest = text;
  while (!rest.empty() && reply.options.size() < 1024) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    reply.options.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  const auto middle = reply.options.begin() + static_cast<std::ptrdiff_t>(reply.options.size() / 2);
  change({reply.options.begin(), middle}, {middle, reply.options.end()});
  static_cast<void>(apply_push_update({}, reply));
  const DataCipher offered[] = {DataCipher::Aes256Gcm, DataCipher::ChaCha20Poly1305};
  const auto push = ClientPush::read(reply, offered, {});
  if (push) {
    RW_ASSERT(push->admission.cipher != DataCipher::Aes128Gcm);
    RW_ASSERT(push->session.ping_interval >= Duration{0});
  } else {
    RW_ASSERT(!push.error().empty());
  }
  static_cast<void>(RestartNotice::parse(text));
  const AuthFailure failure = AuthFailure::parse(text);
  RW_ASSERT(failure.backoff >= Duration{0} && failure.backoff <= AuthFailure::kBackoffMax);
  RW_ASSERT(failure.text.size() <= text.size());
  return 0;
}

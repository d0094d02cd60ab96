#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "control/client_dns.h"
#include "control/host_bypass.h"
#include "control/undo_journal.h"

// What a client that was killed has left in its journal, perhaps cut in the midst of a line: the
// deeds in it are whole lines; a journal of them says the same; and what would be run or taken away
// for one is what that deed alone can mean. Nothing is undone here.

namespace ringway {
namespace {

void check_deed(const std::string& deed) {
  if (const auto command = dns_undo(deed)) {
    RW_ASSERT(command->words.size() == 3);
    RW_ASSERT(command->words[0] == "resolvectl" || command->words[0] == "resolvconf");
    RW_ASSERT(!command->words[2].empty() && command->words[2].front() != '-');
    RW_ASSERT(deed == command->words[0] + " " + command->words[2]);
    RW_ASSERT(command->input.empty() && command->environment.empty());
  }
  constexpr std::string_view kRoute = "route ";
  if (!deed.starts_with(kRoute)) return;
  if (const auto route = HostRoute::parse(std::string_view(deed).substr(kRoute.size()))) {
    const std::string again = route_deed(*route);
    RW_ASSERT(again.find('\n') == std::string::npos);
    RW_ASSERT(HostRoute::parse(std::string_view(again).substr(kRoute.size())) == route);
  }
}

}  // namespace
}  // namespace ringway

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ringway;
  const std::string text(text_of(Bytes(data, size)));
  const std::vector<std::string> deeds = UndoJournal::deeds_in(text);
  RW_ASSERT(deeds.size() <= static_cast<std::size_t>(std::ranges::count(text, '\n')));
  std::string written;
  for (const std::string& deed : deeds) {
    RW_ASSERT(deed.find('\n') == std::string::npos);
    check_deed(deed);
    written += "+" + deed + "\n";
  }
  RW_ASSERT(UndoJournal::deeds_in(written) == deeds);
  RW_ASSERT(UndoJournal::deeds_in(written + "+cut in hal") == deeds);
  for (const std::string& deed : deeds) written += "-" + deed + "\n";
  RW_ASSERT(UndoJournal::deeds_in(written).empty());
  return 0;
}

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "control/command_queue.h"
#include "control/config/dns_lines.h"
#include "control/undo_journal.h"

namespace ringway {

/// What sets name servers on this system.
enum class DnsProgram : std::uint8_t { None, Resolvectl, Resolvconf };

/// Which commands set `dns` for `device`. Pure value.
struct DnsPlan {
  std::vector<Command> commands;
  /// What cannot be expressed, each a sentence.
  std::vector<std::string> notes;

  static DnsPlan make(DnsProgram program, const std::string& device, const DnsLines& dns);
};

/// The line of the journal for `device`, and the command that undoes it; none for another line.
/// Pure.
std::string dns_deed(DnsProgram program, const std::string& device);
std::optional<Command> dns_undo(std::string_view deed);

/// The name servers of one TUN device: set while this exists.
///
/// SHELL: starts programs. `commands` and `journal` outlive it.
class ClientDns {
 public:
  ClientDns(std::string device, CommandQueue& commands, UndoJournal& journal)
      : device_(std::move(device)), commands_(commands), journal_(journal) {}
  ClientDns(const ClientDns&) = delete;
  ClientDns& operator=(const ClientDns&) = delete;
  /// Takes them away again, and waits for it.
  ~ClientDns();

  /// Sets them in the background; what comes of it is in the log.
  void set(const DnsLines& dns);

 private:
  void set_by(DnsProgram program, const DnsLines& dns);

  std::string device_;
  CommandQueue& commands_;
  UndoJournal& journal_;
  std::string deed_;
};

}  // namespace ringway

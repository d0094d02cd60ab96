#include "tools/passphrase_prompt.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

#include "base/secret.h"
#include "base/unique_fd.h"
#include "control/config/config_files.h"

namespace ringway {
namespace {

constexpr const char* kInstead = "name a file whose first line it is with --passphrase-file";
constexpr std::size_t kSizeMax = 1000;

void say(int terminal, const std::string& text) {
  if (::write(terminal, text.data(), text.size()) < 0) return;  // Reading will say what is wrong.
}

std::string read_line(int terminal) {
  std::string line;
  char c = 0;
  while (line.size() < kSizeMax) {
    const ssize_t count = ::read(terminal, &c, 1);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0 || c == '\n') break;
    line += c;
  }
  return line;
}

}  // namespace

Result<std::string> ask_passphrase(const std::string& question) {
  const UniqueFd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  termios before{};
  if (!terminal || ::tcgetattr(terminal.get(), &before) != 0) {
    return fail("a passphrase is wanted, and there is no terminal to ask on", {}, kInstead);
  }
  termios quiet = before;
  quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  ::tcsetattr(terminal.get(), TCSAFLUSH, &quiet);
  say(terminal.get(), question + ": ");
  std::string line = read_line(terminal.get());
  say(terminal.get(), "\n");
  ::tcsetattr(terminal.get(), TCSAFLUSH, &before);
  if (line.empty()) return fail("no passphrase was typed", {}, kInstead);
  return line;
}

Result<std::string> read_passphrase(const std::string& path) {
  Result<std::string> text = read_text_file(path);
  if (!text) return fail(text.error().what, "--passphrase-file", "name a file that can be read");
  std::string line = text->substr(0, text->find_first_of("\r\n"));
  wipe({reinterpret_cast<std::uint8_t*>(text->data()), text->size()});
  if (line.empty())
    return fail("the file's first line is empty", path, "write the passphrase there");
  return line;
}

}  // namespace ringway

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "base/unique_fd.h"

/// What the server asks of its helper process, and what comes back. Values.
namespace ringway {

/// A file of one program's own, in `tmp-dir`; the program learns its path by a variable.
struct ProgramFile {
  /// Name of the variable; empty: none is set.
  std::string variable;
  /// What the file's name begins with, behind "ringway_".
  std::string prefix;
  /// What is in it when the program starts; in a ProgramEnd, when it has ended.
  std::string content;
  /// The path is also the program's last argument.
  bool is_argument = false;
};

/// How a program says that its verdict comes later, and where.
enum class Deferral : std::uint8_t {
  None,
  /// Exit status 2; then `1` or `0` in its first file, and what the client is told in its second.
  ByStatus,
  /// `2` in its first file; then `1` or `0` there.
  ByFile,
};

struct ProgramRequest {
  std::uint64_t id = 0;
  /// Programs of one lane run one after another, in the order of the requests. Empty: at once.
  std::string lane;
  /// Where it is asked about a stranger: his network, so that one network's logins wait for each
  /// other, and not others for all of them. Empty: who it is about is known.
  std::string source;
  /// The program and its arguments; no shell.
  std::vector<std::string> words;
  /// "NAME=VALUE"; all of it.
  std::vector<std::string> environment;
  std::vector<ProgramFile> files;
  Deferral deferral = Deferral::None;
  /// It also learns the files of this request, whose verdict is put off; 0: of none.
  std::uint64_t files_of = 0;
  /// With the rights of the server's start, not those of `user` and `group`.
  bool is_privileged = false;
  /// Somebody has gone. Nobody waits, and nobody tells it again: it has room where questions have
  /// none any more.
  bool is_news = false;
};

/// The status of a program for which there was no room.
inline constexpr int kProgramNotTaken = -2;

/// What `client-config-dir` says of a client, read with the rights of the start.
struct ReadRequest {
  std::uint64_t id = 0;
  std::string common_name;
};

/// Opens what `crl-verify` names, with the rights of the start.
struct OpenRequest {};

/// Strangers will be served from now on: no program has the rights of the start any more.
struct ServeRequest {};

/// How a program ended, once for each request.
struct ProgramEnd {
  std::uint64_t id = 0;
  /// Exit status, of a deferred one what it decided: 0 or 1. -1: it did not run to its end;
  /// kProgramNotTaken: nor was it begun.
  int status = -1;
  /// What it wrote, cut; or why it did not run.
  std::string output;
  /// Its files, in the order of the request.
  std::vector<ProgramFile> files;
};

/// A program has put off its verdict. `notice` is what is in its second file.
struct ProgramDeferred {
  std::uint64_t id = 0;
  std::string notice;
};

struct FileRead {
  std::uint64_t id = 0;
  std::string text;
  /// Its path.
  std::string where;
  /// Why the client is refused; empty: it is not.
  std::string fault;
};

/// The descriptor comes beside the message: what is behind it may be larger than any message.
struct FileOpened {
  UniqueFd file;
  /// Why there is none, as errno.
  int error = 0;
};

/// The helper has died and was started anew: whatever it was asked before has no answer.
struct HelperRestarted {};

}  // namespace ringway

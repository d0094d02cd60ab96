#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

namespace ringway {

/// What is to be undone when this process has gone without doing it itself: a small file, one line
/// each, written before the deed.
///
///   ringway-undo 1 BOOT NAMESPACE      of which boot of which network namespace it tells
///   +route 192.0.2.1/32 via ...        done, or about to be
///   -route 192.0.2.1/32 via ...        undone
///
/// The file is locked while its process lives. Whoever finds one that is not locked does the rest.
///
/// SHELL: one thread; file system calls. Needs no privileges once it is open.
class UndoJournal {
 public:
  /// Undoes one line, without its sign. The error is for the log; the line is tried again at the
  /// next start.
  using Undo = std::function<Result<void>(const std::string& deed)>;

  static constexpr std::string_view kDirectory = "/run/ringway";

  /// Keeps nothing: where nothing can be written.
  UndoJournal() = default;
  UndoJournal(UndoJournal&&) = default;
  UndoJournal& operator=(UndoJournal&&) = delete;
  /// Takes the file away when everything is undone.
  ~UndoJournal();

  /// What a file's text says was done and not undone, in order. Pure.
  static std::vector<std::string> deeds_in(std::string_view text);
  /// Gives what processes that are gone left in `directory` to `undo`, the last deed first.
  static void undo_leftovers(const std::string& directory, const Undo& undo);
  /// A file of our own, in `directory`, which is made if need be.
  static Result<UndoJournal> open(const std::string& directory);

  /// Before it is done.
  void note(const std::string& deed);
  /// After it was undone, or came to nothing.
  void strike(const std::string& deed);
  [[nodiscard]] const std::vector<std::string>& deeds() const { return deeds_; }

 private:
  UndoJournal(std::string path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  void append(char sign, const std::string& deed);

  std::string path_;
  UniqueFd fd_;
  /// In the order in which they were done.
  std::vector<std::string> deeds_;
};

}  // namespace ringway

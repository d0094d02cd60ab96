#include "control/undo_journal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace ringway {
namespace {

class UndoJournalTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "undo-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern + "/run";
  }
  void TearDown() override {
    std::filesystem::remove_all(std::filesystem::path(directory_).parent_path());
  }

  [[nodiscard]] std::size_t file_count() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
      count += entry.is_regular_file();
    }
    return count;
  }
  /// What a successor finds to be undone.
  [[nodiscard]] std::string undone(bool succeeds = true) const {
    std::string text;
    UndoJournal::undo_leftovers(directory_, [&](const std::string& deed) -> Result<void> {
      text += deed + "; ";
      if (succeeds) return {};
      return fail("not today");
    });
    return text;
  }
  /// A process that does these things and is killed.
  template <typename Deeds>
  void killed_after(const Deeds& deeds) const {
    const pid_t child = ::fork();
    if (child == 0) {
      auto journal = UndoJournal::open(directory_);
      if (journal) deeds(*journal);
      ::kill(::getpid(), SIGKILL);
    }
    ::waitpid(child, nullptr, 0);
  }

  std::string directory_;
};

TEST_F(UndoJournalTest, TellsASuccessorWhatWasDoneTheLastThingFirst) {
  killed_after([](UndoJournal& journal) {
    journal.note("a");
    journal.note("b");
    journal.note("c");
    journal.strike("b");
  });
  EXPECT_EQ(file_count(), 1u);
  EXPECT_EQ(undone(), "c; a; ");
  EXPECT_EQ(file_count(), 0u);
}

TEST_F(UndoJournalTest, LeavesTheLivingAlone) {
  auto journal = UndoJournal::open(directory_);
  ASSERT_TRUE(journal);
  journal->note("a");
  EXPECT_EQ(undone(), "");
  EXPECT_EQ(journal->deeds(), std::vector<std::string>{"a"});
  journal->strike("a");
}

TEST_F(UndoJournalTest, IsGoneWhenEverythingIsUndone) {
  {
    auto journal = UndoJournal::open(directory_);
    ASSERT_TRUE(journal);
    journal->note("a");
    journal->strike("a");
  }
  EXPECT_EQ(file_count(), 0u);
}

TEST_F(UndoJournalTest, StaysWhenSomethingCannotBeUndone) {
  {
    auto journal = UndoJournal::open(directory_);
    ASSERT_TRUE(journal);
    journal->note("a");
  }
  EXPECT_EQ(undone(false), "a; ");
  EXPECT_EQ(undone(true), "a; ");
  EXPECT_EQ(undone(true), "");
}

// What another network namespace's client did has its effect there, and another boot's is gone.
TEST_F(UndoJournalTest, LeavesWhatBelongsToAnotherNetworkOrBootAlone) {
  std::filesystem::create_directories(directory_);
  std::ofstream(directory_ + "/client-aaaaaa.undo") << "ringway-undo 1 other 4:1\n+a\n";
  EXPECT_EQ(undone(), "");
  EXPECT_EQ(file_count(), 1u);
}

TEST_F(UndoJournalTest, TakesALineThatWasWrittenInHalfForNotDone) {
  killed_after([](UndoJournal& journal) { journal.note("a"); });
  const auto path = std::filesystem::directory_iterator(directory_)->path();
  std::ofstream(path, std::ios::app) << "+bbb";
  EXPECT_EQ(undone(), "a; ");
}

// Otherwise whoever may write there could have root delete what he likes.
TEST_F(UndoJournalTest, BelievesNoFileThatOthersMayWrite) {
  killed_after([](UndoJournal& journal) { journal.note("a"); });
  const auto path = std::filesystem::directory_iterator(directory_)->path();
  std::filesystem::permissions(path, std::filesystem::perms::others_write,
                               std::filesystem::perm_options::add);
  EXPECT_EQ(undone(), "");
  const auto target = std::filesystem::path(directory_).parent_path() / "elsewhere";
  std::filesystem::permissions(path, std::filesystem::perms::others_write,
                               std::filesystem::perm_options::remove);
  std::filesystem::rename(path, target);
  std::filesystem::create_symlink(target, path);
  EXPECT_EQ(undone(), "");
}

TEST_F(UndoJournalTest, SaysWhereItCannotBeWritten) {
  const auto journal = UndoJournal::open("/proc/no-such-place");
  ASSERT_FALSE(journal);
  EXPECT_NE(journal.error().to_string().find("undo-directory"), std::string::npos);
}

TEST_F(UndoJournalTest, KeepsCountWithoutAFile) {
  UndoJournal journal;
  journal.note("a");
  journal.note("b");
  journal.strike("a");
  EXPECT_EQ(journal.deeds(), std::vector<std::string>{"b"});
}

}  // namespace
}  // namespace ringway

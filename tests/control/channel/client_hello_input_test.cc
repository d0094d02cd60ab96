#include "control/channel/client_hello_input.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace ringway {
namespace {

using Verdict = ClientHelloInput::Verdict;
using Text = std::vector<std::uint8_t>;

Text record(std::uint8_t type, Bytes content) {
  Text text = {type, 3, 1, static_cast<std::uint8_t>(content.size() >> 8),
               static_cast<std::uint8_t>(content.size())};
  text.insert(text.end(), content.begin(), content.end());
  return text;
}

/// The header of a message of that size, and the message.
Text hello(std::size_t size) {
  Text text(4 + size, 0x55);
  text[0] = 1;
  text[1] = static_cast<std::uint8_t>(size >> 16);
  text[2] = static_cast<std::uint8_t>(size >> 8);
  text[3] = static_cast<std::uint8_t>(size);
  return text;
}

// A13: byte for byte, and nothing is handed on before the last.
TEST(ClientHelloInput, WaitsForTheWholeMessage) {
  const Text whole = record(22, hello(600));
  ClientHelloInput input;
  for (std::size_t i = 0; i + 1 < whole.size(); ++i) {
    ASSERT_EQ(input.add(Bytes(whole).subspan(i, 1)), Verdict::NeedsMore) << i;
  }

  EXPECT_EQ(input.add(Bytes(whole).last(1)), Verdict::IsWhole);
  EXPECT_EQ(Text(input.bytes().begin(), input.bytes().end()), whole);
  input.release();
  EXPECT_TRUE(input.bytes().empty());
}

// A13: a first record that is whole says nothing about the rest.
TEST(ClientHelloInput, WaitsForAMessageThatIsSpreadOverRecords) {
  const Text message = hello(2000);
  ClientHelloInput input;
  for (std::size_t at = 0; at < message.size(); at += 501) {
    const std::size_t size = std::min<std::size_t>(501, message.size() - at);
    const bool is_last = at + size == message.size();
    EXPECT_EQ(input.add(record(22, Bytes(message).subspan(at, size))),
              is_last ? Verdict::IsWhole : Verdict::NeedsMore)
        << at;
  }
}

TEST(ClientHelloInput, LeavesItToTheLibraryWhatComesBetweenTheRecords) {
  const Text message = hello(2000);
  ClientHelloInput input;
  EXPECT_EQ(input.add(record(22, Bytes(message).first(1000))), Verdict::NeedsMore);
  EXPECT_EQ(input.add(record(21, Text{2, 40})), Verdict::IsWhole);
}

TEST(ClientHelloInput, TakesTheMostThatIsAllowedAndNoMore) {
  EXPECT_EQ(ClientHelloInput().add(record(22, hello(16 * 1024 - 4))), Verdict::IsWhole);
  EXPECT_EQ(ClientHelloInput().add(Bytes(record(22, hello(16 * 1024 + 1))).first(9)),
            Verdict::IsForeign);
  ClientHelloInput endless;
  Verdict verdict = endless.add(record(22, Bytes(hello(16 * 1024)).first(4)));
  std::size_t added = 9;
  while (verdict == Verdict::NeedsMore && added < 100'000) {
    verdict = endless.add(record(22, Text(1, 0)));
    added += 6;
  }
  EXPECT_EQ(verdict, Verdict::IsForeign);
  EXPECT_LE(endless.bytes().size(), ClientHelloInput::kSizeMax);
}

TEST(ClientHelloInput, KnowsAForeignMessageByItsFirstBytes) {
  EXPECT_EQ(ClientHelloInput().add(Text{'G'}), Verdict::IsForeign);
  EXPECT_EQ(ClientHelloInput().add(Text{22, 3, 1, 0, 3, 1, 0, 0, 0}), Verdict::IsForeign);
  EXPECT_EQ(ClientHelloInput().add(Text{22, 3, 1, 2, 0, 2, 0, 1, 0}), Verdict::IsForeign);
}

}  // namespace
}  // namespace ringway

#include "control/pki/pki.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "control/channel/certificate_report.h"
#include "tests/control/pki/temporary_folder.h"
#include "tests/support/seeded_random.h"

namespace ringway {
namespace {

using test::mode_of;
using Row = PkiReportRow;

constexpr UnixTime kNow{1'796'000'000};
constexpr std::int64_t kDay = 86'400;

UnixTime in_days(std::int64_t days) { return {kNow.seconds + days * kDay}; }

class PkiTest : public ::testing::Test {
 protected:
  Result<Pki> create(Pki::Setup setup = {}) { return Pki::create(path_, setup, random_, kNow); }
  Result<Pki> open(std::string passphrase = {}) {
    return Pki::open(path_, [passphrase]() -> Result<std::string> { return passphrase; });
  }
  static const Row* row_of(const std::vector<Row>& rows, std::string_view name) {
    const auto row = std::ranges::find(rows, name, &Row::name);
    return row == rows.end() ? nullptr : &*row;
  }

  test::TemporaryFolder work_;
  std::string path_ = work_.path("pki");
  test::SeededRandom random_{5};
};

TEST_F(PkiTest, MakesServersAndClientsAndTellsThemApart) {
  {
    auto pki = create();
    ASSERT_TRUE(pki.has_value()) << pki.error().to_string();
    ASSERT_TRUE(pki->issue({.name = "vpn.example.com", .role = Side::Server}, random_, kNow));
    ASSERT_TRUE(pki->issue({.name = "alice", .days = 20}, random_, kNow));
  }
  const auto pki = open();
  ASSERT_TRUE(pki.has_value()) << pki.error().to_string();
  const auto rows = pki->report(30, kNow);
  ASSERT_TRUE(rows.has_value());
  ASSERT_EQ(rows->size(), 4u);
  EXPECT_EQ((*rows)[0].kind, Row::Kind::Authority);
  EXPECT_EQ((*rows)[1].kind, Row::Kind::RevocationList);
  ASSERT_NE(row_of(*rows, "alice"), nullptr);
  EXPECT_EQ(row_of(*rows, "alice")->kind, Row::Kind::Client);
  EXPECT_EQ(row_of(*rows, "alice")->state, Row::State::Due);
  EXPECT_EQ(row_of(*rows, "vpn.example.com")->kind, Row::Kind::Server);
  EXPECT_EQ(row_of(*rows, "vpn.example.com")->state, Row::State::Valid);
  EXPECT_EQ((*pki->report(30, in_days(21)))[0].state, Row::State::Valid);
  EXPECT_EQ(row_of(*pki->report(30, in_days(21)), "alice")->state, Row::State::Expired);
  for (const char* key :
       {"/private/ca.key", "/private/alice.key", "/private/tls-crypt-v2.key", "/index.txt"}) {
    EXPECT_EQ(mode_of(path_ + key), 0600u) << key;
  }
}

TEST_F(PkiTest, GivesANameOnceAtATime) {
  auto pki = create();
  ASSERT_TRUE(pki.has_value());
  ASSERT_TRUE(pki->issue({.name = "alice", .days = 5}, random_, kNow));
  const auto second = pki->issue({.name = "alice"}, random_, kNow);
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().advice.find("renew alice"), std::string::npos);
  EXPECT_TRUE(pki->issue({.name = "alice"}, random_, in_days(6))) << "the first has expired";
}

TEST_F(PkiTest, RevokesEveryCertificateOfAName) {
  auto pki = create();
  ASSERT_TRUE(pki.has_value());
  ASSERT_TRUE(pki->issue({.name = "alice"}, random_, kNow));
  ASSERT_TRUE(pki->renew({.name = "alice"}, random_, kNow));
  ASSERT_TRUE(pki->issue({.name = "bob"}, random_, kNow));

  const auto revoked = pki->revoke("alice", 180, kNow);

  ASSERT_TRUE(revoked.has_value()) << revoked.error().to_string();
  EXPECT_EQ(*revoked, 2u) << "the renewed one, and the one that it took the place of";
  EXPECT_FALSE(pki->has("alice", kNow));
  EXPECT_TRUE(pki->has("bob", kNow));
  EXPECT_FALSE(pki->folder().has("issued/alice.crt"));
  EXPECT_FALSE(pki->folder().has("private/alice.key"));
  EXPECT_EQ(*pki->revoke("alice", 180, kNow), 0u) << "once more makes the list anew";
  EXPECT_FALSE(pki->revoke("nobody", 180, kNow));
  EXPECT_FALSE(pki->renew({.name = "alice"}, random_, kNow));
  EXPECT_TRUE(pki->issue({.name = "alice"}, random_, kNow)) << "the name is free again";
}

TEST_F(PkiTest, RenewsForTheSameKey) {
  auto pki = create();
  ASSERT_TRUE(pki.has_value());
  ASSERT_TRUE(pki->issue({.name = "srv", .role = Side::Server, .days = 5}, random_, kNow));
  const std::string key = *pki->folder().read("private/srv.key");
  ASSERT_TRUE(pki->renew({.name = "srv", .days = 50}, random_, in_days(4)));
  const std::string certificate = *pki->folder().read("issued/srv.crt");
  EXPECT_EQ(*pki->folder().read("private/srv.key"), key);
  EXPECT_TRUE(*key_fits(certificate, "c", key, "k"));
  EXPECT_EQ(report_certificates(certificate, "c")->front().not_after, in_days(54));
}

TEST_F(PkiTest, AsksForThePassphraseOnlyWhereItSigns) {
  {
    ASSERT_TRUE(create({.passphrase = "open sesame"}).has_value());
  }
  {
    auto wrong = open("sesame");
    ASSERT_TRUE(wrong.has_value());
    EXPECT_TRUE(wrong->report(30, kNow)) << "reading needs no key";
    const auto issued = wrong->issue({.name = "alice"}, random_, kNow);
    ASSERT_FALSE(issued);
    EXPECT_NE(issued.error().what.find("does not open"), std::string::npos);
    EXPECT_FALSE(wrong->has("alice", kNow)) << "what was not signed is not in the index";
  }
  auto right = open("open sesame");
  ASSERT_TRUE(right.has_value());
  EXPECT_TRUE(right->issue({.name = "alice"}, random_, kNow));
}

TEST_F(PkiTest, SaysSoWhenTheRevocationListIsDue) {
  auto pki = create({.crl_days = 40});
  ASSERT_TRUE(pki.has_value());
  EXPECT_EQ(row_of(*pki->report(30, kNow), "crl.pem")->state, Row::State::Valid);
  EXPECT_EQ(row_of(*pki->report(30, in_days(11)), "crl.pem")->state, Row::State::Due);
  ASSERT_TRUE(pki->write_revocations(180, in_days(11)));
  EXPECT_EQ(row_of(*pki->report(30, in_days(11)), "crl.pem")->state, Row::State::Valid);
}

TEST_F(PkiTest, RefusesAKeyThatIsNotTheAuthoritys) {
  {
    auto pki = create();
    ASSERT_TRUE(pki.has_value());
    ASSERT_TRUE(pki->issue({.name = "alice"}, random_, kNow));
  }
  std::filesystem::copy_file(path_ + "/private/alice.key", path_ + "/private/ca.key",
                             std::filesystem::copy_options::overwrite_existing);
  auto pki = open();
  ASSERT_TRUE(pki.has_value());
  const auto issued = pki->issue({.name = "bob"}, random_, kNow);
  ASSERT_FALSE(issued);
  EXPECT_NE(issued.error().what.find("not the key of ca.crt"), std::string::npos);
  std::filesystem::remove(path_ + "/private/ca.key");
  EXPECT_NE(pki->write_revocations(10, kNow).error().what.find("is not here"), std::string::npos);
}

TEST_F(PkiTest, RefusesTermsThatCannotBe) {
  EXPECT_FALSE(create({.algorithm = "dsa"}));
  EXPECT_FALSE(create({.days = 0}));
  EXPECT_FALSE(create({.crl_days = 40'000}));
  EXPECT_FALSE(create({.common_name = ""}));
}

// Names become file names, and reach logs, programs and shells.
TEST(PkiNames, AreNoPathsOptionsOrCommands) {
  for (const char* name : {"alice", "vpn.example.com", "a-b_c@d", "7"}) {
    EXPECT_TRUE(check_pki_name(name)) << name;
  }
  for (const char* name : {"", ".", "..", "../x", "a/b", "-x", ".x", "a b", "a\nb", "a;b", "$x",
                           "caf\xc3\xa9", "ca", "tls-crypt-v2"}) {
    EXPECT_FALSE(check_pki_name(name)) << name;
  }
  EXPECT_FALSE(check_pki_name(std::string(65, 'a')));
}

}  // namespace
}  // namespace ringway

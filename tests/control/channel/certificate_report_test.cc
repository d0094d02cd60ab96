#include "control/channel/certificate_report.h"

#include <gtest/gtest.h>

#include "tests/support/certificates.h"

namespace ringway {
namespace {

using namespace test;

TEST(CertificateReport, SaysWhoseItIsAndForHowLong) {
  const auto reports = report_certificates(kServerCertPem, "server.conf:3");

  ASSERT_TRUE(reports) << reports.error().to_string();
  ASSERT_EQ(reports->size(), 1u);
  const CertificateReport& report = reports->front();
  EXPECT_NE(report.subject.find("CN="), std::string::npos);
  EXPECT_EQ(report.not_before.seconds, 1577836800) << "2020-01-01";
  EXPECT_EQ(report.not_after.seconds, 4733510400) << "2120-01-01";
  EXPECT_EQ(report.key_type, "EC");
  EXPECT_EQ(report.key_bits, 256);
  EXPECT_EQ(report.security_bits, 128);
  EXPECT_FALSE(report.has_weak_signature);
  EXPECT_FALSE(report.is_self_signed);
  EXPECT_TRUE(report.may_serve);
  EXPECT_FALSE(report.may_be_client);
}

TEST(CertificateReport, TellsAnAuthorityFromAClient) {
  EXPECT_TRUE(report_certificates(kCaPem, "x")->front().is_self_signed);
  EXPECT_TRUE(report_certificates(kClientCertPem, "x")->front().may_be_client);
  EXPECT_FALSE(report_certificates(kClientCertPem, "x")->front().may_serve);
}

TEST(CertificateReport, TellsWhetherTheKeyIsTheCertificatesOwn) {
  EXPECT_EQ(key_fits(kServerCertPem, "c", kServerKeyPem, "k"), true);
  EXPECT_EQ(key_fits(kServerCertPem, "c", kClientKeyPem, "k"), false);
  EXPECT_EQ(key_fits("none", "c", kClientKeyPem, "k").error().where, "c");
  EXPECT_EQ(key_fits(kServerCertPem, "c", "none", "k").error().where, "k");
}

TEST(CertificateReport, SaysWhenARevocationListEnds) {
  const auto reports = report_revocations(kCrlPem, "x");

  ASSERT_TRUE(reports);
  EXPECT_LT(reports->front().issued, reports->front().next_update);
  EXPECT_LT(report_revocations(kExpiredCrlPem, "x")->front().next_update,
            reports->front().next_update);
}

TEST(CertificateReport, NamesTheFileThatHoldsNone) {
  EXPECT_EQ(report_certificates("", "server.conf:3").error().where, "server.conf:3");
  EXPECT_EQ(report_revocations(kServerCertPem, "server.conf:4").error().where, "server.conf:4");
}

}  // namespace
}  // namespace ringway

#include "control/config/config_survey.h"

#include <gtest/gtest.h>

#include "tests/control/config/config_support.h"

namespace ringway {
namespace {

ConfigSurvey survey_server(const std::string& text) {
  return survey_config(ConfigKind::Server, text, "server.conf", {}, no_such_file);
}

bool has_problem(const ConfigSurvey& survey, const std::string& text) {
  for (const ConfigProblem& problem : survey.draft.problems) {
    if (problem.error.to_string().find(text) != std::string::npos) return true;
  }
  return false;
}

TEST(ConfigSurvey, HasEveryFaultWhereTheParserStopsAtTheFirst) {
  const ConfigSurvey survey = survey_server(
      "port 0\nfrobnicate\nplugin x\nverb \"3\nkeepalive 10 11\nserver 10.8.0.0 255.255.255.0\n"
      "dev tap0\nlocal 10.8.0.7\nca ca.crt\n");

  EXPECT_TRUE(has_problem(survey, "server.conf:1: `port` cannot be `0`"));
  EXPECT_TRUE(has_problem(survey, "server.conf:2: unknown option `frobnicate`"));
  EXPECT_TRUE(has_problem(survey, "server.conf:3: `plugin` is not served yet"));
  EXPECT_TRUE(has_problem(survey, "server.conf:4: the quotation"));
  EXPECT_TRUE(has_problem(survey, "the timeout must be at least twice the interval"));
  EXPECT_TRUE(has_problem(survey, "server.conf:7: `dev tap0` is refused"));
  EXPECT_TRUE(has_problem(survey, "server.conf:8: `local 10.8.0.7` lies in the tunnel's network"));
  EXPECT_TRUE(has_problem(survey, "`cert` is missing"));
  EXPECT_TRUE(has_problem(survey, "`key` is missing"));
  EXPECT_EQ(survey.draft.problems.size(), 9u);
}

TEST(ConfigSurvey, TellsWhatIsRefusedFromWhatIsWrong) {
  const ConfigSurvey survey = survey_server("plugin x\nport 0\n" + std::string(kRequiredLines));

  ASSERT_EQ(survey.draft.problems.size(), 2u);
  EXPECT_TRUE(survey.draft.problems[0].is_refusal);
  EXPECT_FALSE(survey.draft.problems[1].is_refusal);
}

TEST(ConfigSurvey, SaysNothingIsMissingOfALineThatHasAFault) {
  const ConfigSurvey survey = survey_server(
      "ca\ndev tun\nserver 10.8.0.0 255.255.255.0\n"
      "cert server.crt\nkey server.key\n");

  EXPECT_EQ(survey.draft.problems.size(), 1u);
}

TEST(ConfigSurvey, HasTheOptionsWithoutEffectOnceEach) {
  const ConfigSurvey survey =
      survey_server("persist-key\nfast-io\npersist-key\n" + std::string(kRequiredLines));

  ASSERT_EQ(survey.draft.idle.size(), 2u);
  EXPECT_EQ(survey.draft.idle[0].name, "persist-key");
  EXPECT_EQ(survey.draft.idle[1].where, "server.conf:2");
}

TEST(ConfigSurvey, HasEveryFaultOfAProfile) {
  const ConfigSurvey survey =
      survey_config(ConfigKind::Client, "client\nremote a 1\nproto sctp\ncert c.crt\ndev tap\n",
                    "me.ovpn", {}, no_such_file);

  EXPECT_TRUE(has_problem(survey, "me.ovpn:3: `proto` cannot be `sctp`"));
  EXPECT_TRUE(has_problem(survey, "`dev tap` is refused"));
  EXPECT_TRUE(has_problem(survey, "`ca` is missing"));
  EXPECT_FALSE(survey_config(ConfigKind::Client, "client\n", "me.ovpn", {}, no_such_file)
                   .draft.problems.empty());
}

TEST(ConfigSurvey, KnowsAProfileByWhatOnlyClientsHave) {
  EXPECT_EQ(kind_of_config("dev tun\nremote a\n"), ConfigKind::Client);
  EXPECT_EQ(kind_of_config("verb \"3\nclient\n"), ConfigKind::Client);
  EXPECT_EQ(kind_of_config("dev tun\nserver 10.8.0.0 255.255.255.0\n"), ConfigKind::Server);
  EXPECT_EQ(kind_of_config("# remote a\n"), ConfigKind::Server);
}

TEST(ConfigSurvey, GoesOnWhereAFileCannotBeRead) {
  ConfigSurvey survey = survey_server(kRequiredLines);

  const std::vector<Error> errors = load_all_files(survey.draft);

  ASSERT_EQ(errors.size(), 3u);
  EXPECT_EQ(errors[0].where, "server.conf:2");
  EXPECT_NE(errors[2].what.find("server.key"), std::string::npos);
}

}  // namespace
}  // namespace ringway

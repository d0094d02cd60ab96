#include "control/programs/program_desk.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace ringway {
namespace {

class ProgramDeskTest : public ::testing::Test {
 protected:
  ProgramDeskTest() {
    ProgramConfig& programs = config_.programs;
    for (ProgramLine* program :
         {&programs.client_key, &programs.certificate, &programs.password, &programs.connect,
          &programs.disconnect, &programs.learn, &programs.challenge}) {
      *program = {.words = {"/bin/program", "first"}, .where = "server.conf:1"};
    }
    config_.client_config_directory = "ccd";
  }

  static PlaneQuestion about(QuestionKind kind, std::uint64_t id = 1) {
    PlaneQuestion question;
    question.id = {id};
    question.client = {5};
    question.kind = kind;
    question.facts.common_name = "client1";
    question.facts.username = "alice";
    question.facts.certificate = {
        .common_name = "client1", .subject = "CN=client1", .present = true};
    question.facts.certificate.chain.resize(2);
    question.facts.certificate.chain[0].subject = "CN=client1";
    question.facts.certificate.chain[1].subject = "CN=ca";
    question.facts.peer_info.set("IV_SSO", "openurl,webauth");
    question.password = "secret";
    question.facts.endpoint.remote = {.address = *IpAddress::parse("192.0.2.1"), .port = 7};
    question.address = Prefix::parse("10.8.0.2/32");
    return question;
  }

  void ask(QuestionKind kind, std::uint64_t id = 1) {
    desk_.handle_question(about(kind, id), {.bytes_received = 11, .bytes_sent = 22},
                          {.instant = {}, .wall = {100}});
  }
  ProgramRequest next() {
    std::optional<HelperRequest> request = desk_.poll_request();
    if (!request || !std::holds_alternative<ProgramRequest>(*request)) {
      ADD_FAILURE() << "no program is run";
      return {};
    }
    return std::get<ProgramRequest>(std::move(*request));
  }
  void end(const ProgramRequest& request, int status, std::string file = {},
           std::size_t number = 0) {
    std::vector<ProgramFile> files = request.files;
    if (!file.empty()) files.at(number).content = std::move(file);
    desk_.handle_report(
        ProgramEnd{.id = request.id, .status = status, .output = {}, .files = std::move(files)});
  }
  PlaneAnswer answer() {
    std::optional<DeskAnswer> answer = desk_.poll_answer();
    if (!answer || !std::holds_alternative<PlaneAnswer>(answer->said)) {
      ADD_FAILURE() << "no answer";
      return {};
    }
    return std::get<PlaneAnswer>(std::move(answer->said));
  }
  static bool sees(const ProgramRequest& request, std::string_view entry) {
    return std::ranges::find(request.environment, entry) != request.environment.end();
  }
  static bool sees_name(const ProgramRequest& request, std::string_view name) {
    const std::string start = std::string(name) + "=";
    return std::ranges::any_of(request.environment,
                               [&](const std::string& e) { return e.starts_with(start); });
  }

  ServerConfig config_;
  ProgramDesk desk_{config_, {.device = "tun0", .process_id = 1, .started = {5}}};
};

TEST_F(ProgramDeskTest, GivesAKeysMetadataInAFile) {
  PlaneQuestion question = about(QuestionKind::ClientKey);
  question.key_metadata = std::string("\x00in the\nclear\x00", 14);
  desk_.handle_question(std::move(question), {}, {.instant = {}, .wall = {100}});
  const ProgramRequest request = next();
  EXPECT_TRUE(sees(request, "script_type=tls-crypt-v2-verify"));
  EXPECT_TRUE(sees(request, "metadata_type=0"));
  EXPECT_TRUE(sees(request, "untrusted_ip=192.0.2.1"));
  EXPECT_FALSE(sees_name(request, "tls_id_0")) << "no certificate is believed yet";
  ASSERT_EQ(request.files.size(), 1u);
  EXPECT_EQ(request.files[0].variable, "metadata_file");
  EXPECT_EQ(request.files[0].content, std::string("in the\nclear\x00", 13));
  end(request, 1);
  EXPECT_FALSE(answer().accepted);
}

TEST_F(ProgramDeskTest, AsksAboutEachCertificateFromTheDeepestOn) {
  ask(QuestionKind::Certificate);
  const ProgramRequest ca = next();
  EXPECT_EQ(ca.words, (std::vector<std::string>{"/bin/program", "first", "1", "CN=ca"}));
  EXPECT_FALSE(sees_name(ca, "common_name"));
  EXPECT_FALSE(sees_name(ca, "tls_id_0"));
  end(ca, 0);
  EXPECT_FALSE(desk_.poll_answer());
  const ProgramRequest own = next();
  EXPECT_EQ(own.words, (std::vector<std::string>{"/bin/program", "first", "0", "CN=client1"}));
  EXPECT_TRUE(sees(own, "common_name=client1"));
  end(own, 0);
  EXPECT_TRUE(answer().accepted);

  ask(QuestionKind::Certificate, 2);
  end(next(), 1);
  EXPECT_FALSE(answer().accepted);
  EXPECT_FALSE(desk_.poll_request());
}

TEST_F(ProgramDeskTest, GivesThePasswordByEnvironmentOrByFile) {
  ask(QuestionKind::Password);
  const ProgramRequest by_environment = next();
  EXPECT_TRUE(sees(by_environment, "password=secret"));
  EXPECT_TRUE(sees(by_environment, "username=alice"));
  EXPECT_TRUE(sees(by_environment, "script_type=user-pass-verify"));
  EXPECT_EQ(by_environment.files.size(), 3u);

  config_.programs.password_by_file = true;
  ask(QuestionKind::Password, 2);
  const ProgramRequest by_file = next();
  EXPECT_FALSE(sees_name(by_file, "password"));
  ASSERT_EQ(by_file.files.size(), 4u);
  EXPECT_EQ(by_file.files[3].content, "alice\nsecret\n");
  EXPECT_TRUE(by_file.files[3].is_argument);
}

// A program that compares the two would let everybody in: without a certificate nothing but the
// user himself has said who he is.
TEST_F(ProgramDeskTest, TakesNoUsersNameForThatOfACertificate) {
  PlaneQuestion question = about(QuestionKind::Password);
  question.facts.common_name = question.facts.username = "alice";
  EXPECT_TRUE(question.facts.certificate.present);
  question.facts.certificate = {};
  const auto again = [&] {
    PlaneQuestion copy = about(QuestionKind::Password, 2);
    copy.facts.common_name = copy.facts.username = "alice";
    copy.facts.certificate = {};
    copy.is_renegotiation = true;
    return copy;
  };
  desk_.handle_question(std::move(question), {}, {});
  const ProgramRequest first = next();
  EXPECT_TRUE(sees(first, "username=alice"));
  EXPECT_FALSE(sees_name(first, "common_name"));

  desk_.handle_question(again(), {}, {});
  EXPECT_TRUE(sees(next(), "common_name=alice"));
}

TEST_F(ProgramDeskTest, GivesThePasswordToNoOtherProgram) {
  for (const QuestionKind kind : {QuestionKind::Certificate, QuestionKind::Connect,
                                  QuestionKind::Learn, QuestionKind::Disconnect}) {
    ask(kind);
    const ProgramRequest request = next();
    EXPECT_FALSE(sees_name(request, "password"));
    for (const ProgramFile& file : request.files) EXPECT_EQ(file.content, "");
  }
}

TEST_F(ProgramDeskTest, TellsTheClientWhyItsPasswordIsWrong) {
  ask(QuestionKind::Password);
  end(next(), 1, "wrong second factor\nand more\n", 2);
  const PlaneAnswer said = answer();
  EXPECT_FALSE(said.accepted);
  EXPECT_EQ(said.for_client, "wrong second factor");
  EXPECT_FALSE(said.is_temporary);
}

// B17: no verdict is no admission.
TEST_F(ProgramDeskTest, RefusesForTheMomentWhereNothingWasDecided) {
  ask(QuestionKind::Password);
  end(next(), -1);
  const PlaneAnswer killed = answer();
  EXPECT_FALSE(killed.accepted);
  EXPECT_TRUE(killed.is_temporary);

  ask(QuestionKind::Password, 2);
  desk_.handle_unsent(HelperRequest(next()));
  EXPECT_FALSE(answer().accepted);

  ask(QuestionKind::Connect, 3);
  const ProgramRequest lost = next();
  desk_.handle_report(HelperRestarted{});
  const PlaneAnswer restarted = answer();
  EXPECT_FALSE(restarted.accepted);
  EXPECT_TRUE(restarted.is_temporary);
  EXPECT_TRUE(desk_.poll_warning());
  end(lost, 0);
  EXPECT_FALSE(desk_.poll_answer());
  EXPECT_EQ(desk_.open_count(), 0u);
}

TEST_F(ProgramDeskTest, PassesOnWhyAClientMustWait) {
  ask(QuestionKind::Password, 9);
  const ProgramRequest request = next();
  desk_.handle_report(ProgramDeferred{.id = request.id, .notice = "30\nwebauth\nWEB_AUTH::url\n"});
  const auto said = desk_.poll_answer();
  ASSERT_TRUE(said);
  EXPECT_EQ(said->question, QuestionId{9});
  const auto& pending = std::get<AnswerPending>(said->said);
  EXPECT_EQ(pending.timeout, 30s);
  EXPECT_EQ(pending.extra, "WEB_AUTH::url");
  end(request, 0);
  EXPECT_TRUE(answer().accepted);
}

TEST_F(ProgramDeskTest, RefusesAClientThatCannotDoWhatItMust) {
  ask(QuestionKind::Password);
  const ProgramRequest request = next();
  desk_.handle_report(ProgramDeferred{.id = request.id, .notice = "30\ncrtext\nCR_TEXT:R:x\n"});
  EXPECT_FALSE(answer().accepted);
  end(request, 0);
  EXPECT_FALSE(desk_.poll_answer());
  EXPECT_TRUE(std::holds_alternative<ForgetRequest>(*desk_.poll_request()));

  ask(QuestionKind::Password, 2);
  desk_.handle_report(ProgramDeferred{.id = next().id, .notice = "soon\nwebauth\nx\n"});
  EXPECT_FALSE(desk_.poll_answer());
  EXPECT_TRUE(desk_.poll_warning());
}

TEST_F(ProgramDeskTest, BringsBackWhatAConnectProgramWrites) {
  ask(QuestionKind::Connect);
  const ProgramRequest request = next();
  EXPECT_EQ(request.deferral, Deferral::ByFile);
  end(request, 0, "push \"route 10.9.0.0 255.255.0.0\"\n", 1);
  const PlaneAnswer said = answer();
  EXPECT_TRUE(said.accepted);
  EXPECT_EQ(said.text, "push \"route 10.9.0.0 255.255.0.0\"\n");
}

TEST_F(ProgramDeskTest, KeepsTheOrderOfAClientsAndOfAnAddressesPrograms) {
  ask(QuestionKind::Connect);
  ask(QuestionKind::Disconnect, 2);
  EXPECT_EQ(next().lane, "client client1");
  const ProgramRequest disconnect = next();
  EXPECT_EQ(disconnect.lane, "client client1");
  EXPECT_TRUE(sees(disconnect, "bytes_received=11"));
  EXPECT_TRUE(sees(disconnect, "bytes_sent=22"));

  ask(QuestionKind::Learn, 3);
  ask(QuestionKind::Forget, 4);
  const ProgramRequest learn = next();
  const ProgramRequest forget = next();
  EXPECT_EQ(learn.lane, forget.lane);
  EXPECT_EQ(learn.words,
            (std::vector<std::string>{"/bin/program", "first", "add", "10.8.0.2", "client1"}));
  EXPECT_EQ(forget.words,
            (std::vector<std::string>{"/bin/program", "first", "delete", "10.8.0.2"}));

  PlaneQuestion nameless = about(QuestionKind::Learn, 6);
  nameless.facts.common_name.clear();
  desk_.handle_question(std::move(nameless), {}, {});
  const ProgramRequest other = next();
  EXPECT_EQ(other.words.back(), "UNDEF");
  EXPECT_EQ(other.lane, learn.lane) << "all of them keep one file";

  PlaneQuestion moved = about(QuestionKind::Learn, 5);
  moved.is_update = true;
  desk_.handle_question(std::move(moved), {}, {});
  EXPECT_EQ(next().words,
            (std::vector<std::string>{"/bin/program", "first", "update", "10.8.0.2", "client1"}));
}

TEST_F(ProgramDeskTest, CountsTheDeparturesOfWhichNoProgramWasTold) {
  ask(QuestionKind::Disconnect);
  ask(QuestionKind::Forget, 2);
  ask(QuestionKind::Password, 3);
  for (const bool is_news : {true, true, false}) {
    const ProgramRequest request = next();
    EXPECT_EQ(request.is_news, is_news);
    desk_.handle_unsent(request);
  }

  EXPECT_EQ(desk_.lost_news(), 2u);
  EXPECT_FALSE(answer().accepted);
  // Of the password alone: the others are told together.
  EXPECT_TRUE(desk_.poll_warning());
  EXPECT_FALSE(desk_.poll_warning());
}

TEST_F(ProgramDeskTest, ReadsAClientsFile) {
  ask(QuestionKind::ClientConfig);
  const auto request = desk_.poll_request();
  ASSERT_TRUE(request && std::holds_alternative<ReadRequest>(*request));
  const auto& read = std::get<ReadRequest>(*request);
  EXPECT_EQ(read.common_name, "client1");
  desk_.handle_report(
      FileRead{.id = read.id, .text = "disable", .where = "ccd/client1", .fault = ""});
  const PlaneAnswer said = answer();
  EXPECT_TRUE(said.accepted);
  EXPECT_EQ(said.text, "disable");
  EXPECT_EQ(said.where, "ccd/client1");

  ask(QuestionKind::ClientConfig, 2);
  ASSERT_TRUE(desk_.poll_request());
  desk_.handle_report(FileRead{.id = 2, .text = "", .where = "", .fault = "no"});
  EXPECT_FALSE(answer().accepted);
}

TEST_F(ProgramDeskTest, ForgetsWhatNobodyAsksAnyMore) {
  ask(QuestionKind::Password, 4);
  const ProgramRequest request = next();
  desk_.handle_withdrawn({4});
  const auto forget = desk_.poll_request();
  ASSERT_TRUE(forget && std::holds_alternative<ForgetRequest>(*forget));
  EXPECT_EQ(std::get<ForgetRequest>(*forget).id, request.id);
  end(request, 0);
  EXPECT_FALSE(desk_.poll_answer());
  desk_.handle_withdrawn({4});
  EXPECT_EQ(desk_.open_count(), 0u);
}

// A renegotiation asks before the answer about the last one is forgotten.
TEST_F(ProgramDeskTest, KeepsThePasswordThatWaitsWhenAnOlderOneIsForgotten) {
  ask(QuestionKind::Password, 1);
  const ProgramRequest older = next();
  ask(QuestionKind::Password, 2);
  const ProgramRequest newer = next();
  end(older, 0);

  ask(QuestionKind::ChallengeResponse, 3);

  EXPECT_EQ(next().files_of, newer.id);
}

TEST_F(ProgramDeskTest, LetsAChallengesProgramDecideAboutThePasswordThatWaits) {
  ask(QuestionKind::Password, 1);
  const ProgramRequest password = next();
  PlaneQuestion challenge = about(QuestionKind::ChallengeResponse, 2);
  challenge.response = "c2VjcmV0";
  desk_.handle_question(std::move(challenge), {}, {});
  const ProgramRequest request = next();
  EXPECT_EQ(request.files_of, password.id);
  EXPECT_EQ(request.files.at(0).content, "c2VjcmV0");
}

}  // namespace
}  // namespace ringway

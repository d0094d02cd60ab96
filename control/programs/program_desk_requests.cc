#include <algorithm>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "control/programs/program_desk.h"
#include "dataplane/half_open_list.h"

/// Which program is run for a question, and what it is given.
namespace ringway {
namespace {

std::string address_text(const Prefix& address) {
  const bool is_host = address == Prefix::host(address.address);
  return is_host ? address.address.to_string() : address.to_string();
}

/// Of one client's name, its programs run in order: its last session's end before its next one's
/// beginning.
std::string lane_of(const PlaneQuestion& question, bool duplicate_cn) {
  const std::string& name = question.facts.common_name;
  return "client " + (duplicate_cn || name.empty() ? std::to_string(question.client.value) : name);
}

/// Whom nobody has let in yet.
std::string source_of(const ClientFacts& facts) {
  return HalfOpenList::network_of(facts.endpoint.remote.address).to_string();
}

}  // namespace

ProgramRequest ProgramDesk::request_for(std::uint64_t id, std::string_view type,
                                        const ProgramLine& program,
                                        ProgramEnvironment environment) const {
  environment.set("script_type", type);
  ProgramRequest request;
  request.id = id;
  request.words = program.words;
  request.environment = environment.take();
  return request;
}

ProgramEnvironment ProgramDesk::client_environment(const ClientFacts& client) const {
  ProgramEnvironment environment;
  add_server(environment, config_, server_);
  add_tunnel(environment, config_);
  environment.set("redirect_gateway", "0");
  add_certificates(environment, client.certificate, 0);
  add_endpoint(environment, client);
  add_peer_info(environment, client.peer_info);
  add_session(environment, config_, client);
  return environment;
}

/// The type is a variable, and what comes behind it a file.
void ProgramDesk::ask_about_client_key(std::uint64_t id, const PlaneQuestion& question) {
  RW_ASSERT(!question.key_metadata.empty());
  ProgramEnvironment environment;
  add_server(environment, config_, server_);
  add_tunnel(environment, config_);
  environment.set("redirect_gateway", "0");
  add_endpoint(environment, question.facts);
  const auto type = static_cast<std::uint8_t>(question.key_metadata.front());
  environment.set("metadata_type", std::uint64_t{type});
  ProgramRequest request =
      request_for(id, "tls-crypt-v2-verify", config_.programs.client_key, std::move(environment));
  request.source = source_of(question.facts);
  request.files = {{.variable = "metadata_file",
                    .prefix = "tls_crypt_v2_metadata",
                    .content = question.key_metadata.substr(1)}};
  requests_.emplace_back(std::move(request));
}

/// From the deepest certificate to the client's own, one after the other.
void ProgramDesk::ask_about_certificate(std::uint64_t id, const Open& open) {
  const std::size_t depth = open.depth == 0 ? 0 : open.depth - 1;
  ProgramEnvironment environment;
  add_server(environment, config_, server_);
  add_tunnel(environment, config_);
  environment.set("redirect_gateway", "0");
  add_certificates(environment, open.facts.certificate, depth);
  add_endpoint(environment, open.facts);
  if (depth == 0) environment.set("common_name", open.facts.certificate.common_name);
  ProgramRequest request =
      request_for(id, "tls-verify", config_.programs.certificate, std::move(environment));
  if (!open.is_renegotiation) request.source = source_of(open.facts);
  request.words.push_back(std::to_string(depth));
  request.words.push_back(open.depth == 0 ? open.facts.certificate.subject
                                          : open.facts.certificate.chain[depth].subject);
  requests_.emplace_back(std::move(request));
}

void ProgramDesk::ask_about_password(std::uint64_t id, const PlaneQuestion& question) {
  ProgramEnvironment environment = client_environment(question.facts);
  // What a certificate says, whatever the client will be called afterwards. Without one nobody has
  // said anything yet: what the client calls itself is what the program is asked about, and those
  // that compare the two would let in everybody.
  if (question.facts.certificate.present) {
    environment.set("common_name", question.facts.certificate.common_name);
  } else if (!question.is_renegotiation) {
    environment.unset("common_name");
  }
  environment.set("username", question.facts.username);
  const bool by_file = config_.programs.password_by_file;
  if (!by_file) environment.set("password", question.password);
  ProgramRequest request =
      request_for(id, "user-pass-verify", config_.programs.password, std::move(environment));
  request.deferral = Deferral::ByStatus;
  if (!question.is_renegotiation) request.source = source_of(question.facts);
  request.files = {{.variable = "auth_control_file", .prefix = "acf", .content = {}},
                   {.variable = "auth_pending_file", .prefix = "apf", .content = {}},
                   {.variable = "auth_failed_reason_file", .prefix = "afr", .content = {}}};
  if (by_file) {
    request.files.push_back({.variable = {},
                             .prefix = "up",
                             .content = question.facts.username + "\n" + question.password + "\n",
                             .is_argument = true});
  }
  password_request_of_[question.client.value] = id;
  requests_.emplace_back(std::move(request));
}

/// Its program may decide by its exit status, or by the file of the password that waits.
void ProgramDesk::ask_about_challenge(std::uint64_t id, const PlaneQuestion& question) {
  ProgramRequest request = request_for(id, "client-crresponse", config_.programs.challenge,
                                       client_environment(question.facts));
  const auto password = password_request_of_.find(question.client.value);
  if (password != password_request_of_.end()) request.files_of = password->second;
  request.files = {
      {.variable = {}, .prefix = "ccr", .content = question.response, .is_argument = true}};
  requests_.emplace_back(std::move(request));
}

void ProgramDesk::ask_for_client_config(std::uint64_t id, const PlaneQuestion& question) {
  requests_.emplace_back(ReadRequest{.id = id, .common_name = question.facts.common_name});
}

void ProgramDesk::ask_to_connect(std::uint64_t id, const PlaneQuestion& question) {
  ProgramRequest request = request_for(id, "client-connect", config_.programs.connect,
                                       client_environment(question.facts));
  request.lane = lane_of(question, config_.duplicate_cn);
  request.deferral = Deferral::ByFile;
  request.files = {{.variable = "client_connect_deferred_file", .prefix = "ccr", .content = {}},
                   {.variable = "client_connect_config_file",
                    .prefix = "cc",
                    .content = {},
                    .is_argument = true}};
  requests_.emplace_back(std::move(request));
}

void ProgramDesk::tell_of_disconnect(std::uint64_t id, const PlaneQuestion& question,
                                     const TrafficTotals& traffic, Now now) {
  ProgramEnvironment environment = client_environment(question.facts);
  environment.set("bytes_received", traffic.bytes_received);
  environment.set("bytes_sent", traffic.bytes_sent);
  const std::int64_t duration = now.wall.seconds - question.facts.connected_since.seconds;
  environment.set("time_duration", static_cast<std::uint64_t>(std::max<std::int64_t>(duration, 0)));
  ProgramRequest request =
      request_for(id, "client-disconnect", config_.programs.disconnect, std::move(environment));
  request.lane = lane_of(question, config_.duplicate_cn);
  request.is_news = true;
  requests_.emplace_back(std::move(request));
}

void ProgramDesk::ask_about_address(std::uint64_t id, const PlaneQuestion& question) {
  RW_ASSERT(question.address);
  const std::string address = address_text(*question.address);
  const bool is_add = question.kind == QuestionKind::Learn;
  ProgramRequest request =
      request_for(id, "learn-address", config_.programs.learn, client_environment(question.facts));
  request.words.emplace_back(!is_add ? "delete" : question.is_update ? "update" : "add");
  request.is_news = !is_add;
  request.words.push_back(address);
  const std::string& name = question.facts.common_name;
  if (is_add) request.words.push_back(name.empty() ? "UNDEF" : name);
  // One at a time, in the order in which they were learned, as with OpenVPN: these programs keep a
  // file or a zone of all addresses, and few of them lock it.
  request.lane = "learn-address";
  requests_.emplace_back(std::move(request));
}

ProgramRequest ProgramDesk::server_program(std::string_view type, const ProgramLine& program,
                                           bool is_privileged) const {
  ProgramEnvironment environment;
  add_server(environment, config_, server_);
  add_tunnel(environment, config_);
  // What OpenVPN knows when it has set its routes.
  if (type != "up") environment.set("redirect_gateway", "0");
  if (type == "down") environment.set("signal", "sigterm");
  ProgramRequest request = request_for(0, type, program, std::move(environment));
  if (type != "route-up") {
    for (std::string& argument : device_arguments(config_, server_)) {
      request.words.push_back(std::move(argument));
    }
  }
  request.is_privileged = is_privileged;
  return request;
}

}  // namespace ringway

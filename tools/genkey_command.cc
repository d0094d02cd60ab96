#include "tools/genkey_command.h"

#include <CLI/CLI.hpp>

#include "base/random.h"
#include "base/secret_text.h"
#include "base/time.h"
#include "control/config/config_files.h"
#include "control/key_files.h"
#include "tools/command_arguments.h"
#include "tools/secret_output.h"

namespace ringway {
namespace {

constexpr const char* kFileHelp = "Where it goes; standard output without it.";

}  // namespace

GenkeyCommand::GenkeyCommand(CLI::App& app)
    : command_(app.add_subcommand("genkey", "Make a key file.")) {
  command_->require_subcommand(1);
  const auto add = [&](const char* name, const char* help) {
    CLI::App* kind = command_->add_subcommand(name, help);
    kind->add_option("FILE", file_, kFileHelp);
    return kind;
  };
  add("tls-auth", "A key that server and clients share, for `tls-auth`.");
  add("tls-crypt", "The same for `tls-crypt`.");
  add("secret", "The same, by its old name.");
  add("tls-crypt-v2-server", "The server's key for `tls-crypt-v2`.");
  CLI::App* client = add("tls-crypt-v2-client", "A key for one client of that server.");
  client->add_option("--server-key", server_key_, "The server's key file.")->required();
  client->add_option("--metadata", metadata_,
                     "Base64 of what the key shall say about itself to the server; the time of "
                     "its making without it.");
  add("auth-token", "The secret of `auth-gen-token`.");
}

bool GenkeyCommand::is_asked_for() const { return command_->parsed(); }

int GenkeyCommand::run() const {
  SystemRandom random;
  const std::string kind = command_->get_subcommands().front()->get_name();
  Result<std::string> key;
  if (kind == "tls-crypt-v2-server") {
    key = make_tls_crypt_v2_server_file(random);
  } else if (kind == "tls-crypt-v2-client") {
    Result<std::string> server = read_text_file(server_key_);
    if (!server) return exit_status_of(std::unexpected(server.error()));
    key = make_tls_crypt_v2_client_file(*server, server_key_, metadata_, random, wall_now());
    wipe(*server);
  } else if (kind == "auth-token") {
    key = make_auth_token_file(random);
  } else {
    key = make_static_key_file(random);
  }
  if (!key) return exit_status_of(std::unexpected(key.error()));
  const Result<void> written = write_secret_output(file_, *key);
  wipe(*key);
  return exit_status_of(written);
}

}  // namespace ringway

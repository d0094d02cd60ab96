#include "tools/profile_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>

#include "base/random.h"
#include "base/secret_text.h"
#include "base/time.h"
#include "control/config/config_files.h"
#include "control/config/config_parser.h"
#include "control/key_files.h"
#include "control/pki/pki.h"
#include "tools/command_arguments.h"
#include "tools/pki_command.h"
#include "tools/secret_output.h"
#include "tools/working_directory.h"

namespace ringway {

ProfileCommand::ProfileCommand(CLI::App& app)
    : command_(app.add_subcommand("profile", "Make an .ovpn file for a client of a server.")) {
  command_->add_option("CONFIG", config_path_, "The server's configuration.")->required();
  command_->add_option("NAME", name_, "The client. It gets a certificate if it has none.")
      ->required();
  command_->add_option("--remote", hosts_,
                       "Where clients find the server, a name or an address; may be repeated. "
                       "Without it the name in the server's certificate.");
  command_->add_option("--dir", directory_,
                       "The authority's folder; the one that `ca` is in without it.");
  command_->add_option("--output", file_, "Where it goes; standard output without it.");
  command_->add_option("--passphrase-file", passphrase_file_,
                       "The passphrase of the authority's key, for a new certificate.");
  command_->add_option("--metadata", metadata_,
                       "For tls-crypt-v2, base64: what the client's key shall say about itself to "
                       "the server; the time of its making without it.");
}

bool ProfileCommand::is_asked_for() const { return command_->parsed(); }

int ProfileCommand::run() const { return exit_status_of(make()); }

Result<ServerConfig> ProfileCommand::read_config() const {
  const Result<std::string> text = read_text_file(config_path_);
  if (!text) return fail(text.error().what, "", "name a server's configuration that can be read");
  Result<ServerConfig> config = parse_server_config(*text, config_path_, {}, read_text_file);
  if (!config) return config;
  if (auto entered = enter_working_directory(config->working_directory); !entered) {
    return std::unexpected(entered.error());
  }
  if (auto loaded = load_files(*config); !loaded) return std::unexpected(loaded.error());
  return config;
}

/// The client's certificate and key, made if need be.
Result<ProfileOwner> ProfileCommand::read_owner(const ServerConfig& config) const {
  std::string directory = directory_;
  if (directory.empty()) {
    directory = std::filesystem::path(config.tls.ca.path).parent_path().string();
    if (directory.empty()) directory = ".";
  }
  if (auto checked = check_pki_name(name_); !checked) return std::unexpected(checked.error());
  Result<Pki> pki = Pki::open(directory, passphrase_from(passphrase_file_));
  if (!pki) return std::unexpected(pki.error());
  SystemRandom random;
  const UnixTime now = wall_now();
  if (!pki->has(name_, now)) {
    const auto issued = pki->issue({.name = name_}, random, now);
    if (!issued) return std::unexpected(issued.error());
  }
  Result<std::string> cert = pki->folder().read(fmt::format("issued/{}.crt", name_));
  if (!cert) return std::unexpected(cert.error());
  Result<std::string> key = pki->folder().read(fmt::format("private/{}.key", name_));
  if (!key) return std::unexpected(key.error());
  return ProfileOwner{.name = name_, .cert_pem = std::move(*cert), .key_pem = std::move(*key)};
}

Result<void> ProfileCommand::make() const {
  const Result<ServerConfig> config = read_config();
  if (!config) return std::unexpected(config.error());
  std::vector<std::string> hosts = hosts_;
  if (hosts.empty()) hosts.push_back(host_of_certificate(*config));
  if (hosts.front().empty()) {
    return fail("nothing says where clients find the server", config_path_,
                "write `--remote vpn.example.com` with its name or address");
  }
  Result<ProfileOwner> owner = read_owner(*config);
  if (!owner) return std::unexpected(owner.error());
  const FileOrInline& v2_key = config->wrap.v2_key;
  if (v2_key.is_set()) {
    SystemRandom random;
    Result<std::string> wrapped =
        make_tls_crypt_v2_client_file(v2_key.text, v2_key.where, metadata_, random, wall_now());
    if (!wrapped) return std::unexpected(wrapped.error());
    owner->v2_key_pem = std::move(*wrapped);
  }
  Result<std::string> text = profile_text(*config, hosts, *owner);
  if (!text) return std::unexpected(text.error());
  const Result<void> written = write_secret_output(file_, *text);
  for (std::string* secret : {&owner->key_pem, &owner->v2_key_pem, &*text}) wipe(*secret);
  return written;
}

}  // namespace ringway

#include "tools/pki_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

#include "base/random.h"
#include "base/secret.h"
#include "base/time.h"
#include "tools/command_arguments.h"
#include "tools/passphrase_prompt.h"

namespace ringway {
namespace {

using Row = PkiReportRow;
using Json = nlohmann::ordered_json;

constexpr int kDue = 2;

std::string_view kind_text(Row::Kind kind) {
  switch (kind) {
    case Row::Kind::Authority: return "authority";
    case Row::Kind::RevocationList: return "revocations";
    case Row::Kind::Server: return "server";
    case Row::Kind::Client: return "client";
    case Row::Kind::Unknown: break;
  }
  return "-";
}

std::string_view state_text(Row::State state) {
  switch (state) {
    case Row::State::Valid: return "valid";
    case Row::State::Due: return "expires soon";
    case Row::State::Expired: return "expired";
    case Row::State::Revoked: return "revoked";
  }
  return "";
}

std::string day_text(UnixTime time) {
  const std::time_t seconds = time.seconds;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
}

std::string report_text(const std::vector<Row>& rows) {
  std::string text =
      fmt::format("{:<12} {:<12} {:<10} {:<32} {}\n", "STATE", "KIND", "EXPIRES", "SERIAL", "NAME");
  for (const Row& row : rows) {
    text += fmt::format("{:<12} {:<12} {:<10} {:<32} {}\n", state_text(row.state),
                        kind_text(row.kind), day_text(row.expires), row.serial, row.name);
  }
  return text;
}

std::string report_json(const std::vector<Row>& rows) {
  Json list = Json::array();
  for (const Row& row : rows) {
    list.push_back({{"state", state_text(row.state)},
                    {"kind", kind_text(row.kind)},
                    {"expires", row.expires.seconds},
                    {"serial", row.serial},
                    {"name", row.name}});
  }
  return list.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

void say(const std::string& text) { std::fputs(text.c_str(), stdout); }

std::string server_lines(const std::string& directory, const std::string& name) {
  return fmt::format(
      "ca {0}/ca.crt\ncert {0}/issued/{1}.crt\nkey {0}/private/{1}.key\ncrl-verify {0}/crl.pem\n"
      "tls-crypt-v2 {0}/private/tls-crypt-v2.key\nremote-cert-tls client\n",
      directory, name);
}

}  // namespace

PassphraseSource passphrase_from(const std::string& file) {
  if (!file.empty()) return [file] { return read_passphrase(file); };
  return [] { return ask_passphrase("Passphrase of the authority's key"); };
}

PkiCommand::PkiCommand(CLI::App& app)
    : command_(app.add_subcommand("pki", "Keep an authority and its certificates.")) {
  command_->require_subcommand(1);
  const auto add = [&](const char* name, const char* help) {
    CLI::App* command = command_->add_subcommand(name, help);
    command->add_option("--dir", directory_, "The authority's folder; pki without it.");
    command->add_option("--passphrase-file", passphrase_file_,
                        "A file whose first line is the passphrase of the authority's key; "
                        "without it the terminal is asked.");
    return command;
  };
  const auto add_algorithm = [&](CLI::App* command) {
    command->add_option("--algorithm", algorithm_, "Keys: p256 (the default), ed25519 or rsa.");
  };
  const auto add_crl_days = [&](CLI::App* command) {
    command->add_option("--crl-days", crl_days_, "How long the revocation list is good; 180.");
  };
  CLI::App* init =
      add("init", "Make an authority, an empty revocation list and a tls-crypt-v2 key.");
  init->add_option("--server", server_, "Make this server's certificate, too: its host name.");
  init->add_option("--name", authority_name_, "What the authority is called; Ringway CA.");
  init->add_option("--days", authority_days_, "How long the authority is good; 3650.");
  init->add_flag("--encrypt", encrypt_, "Ask for a passphrase for the authority's key.");
  add_algorithm(init);
  add_crl_days(init);
  for (const char* role : {"server", "client"}) {
    CLI::App* issue =
        add(role, role == std::string("server") ? "Make a server's key and certificate."
                                                : "Make a client's.");
    issue->add_option("NAME", name_, "Its common name.")->required();
    issue->add_option("--san", alternative_names_, "A host name or address in subjectAltName.");
    issue->add_option("--days", days_, "How long it is good; 825.");
    add_algorithm(issue);
  }
  CLI::App* revoke = add("revoke", "Take back every certificate of a name.");
  revoke->add_option("NAME", name_, "Its common name.")->required();
  add_crl_days(revoke);
  CLI::App* renew = add("renew", "Make a new certificate for a key that there is.");
  renew->add_option("NAME", name_, "Its common name.")->required();
  renew->add_option("--days", days_, "How long it is good; 825.");
  add_crl_days(add("crl", "Make a new revocation list, before the old one expires."));
  CLI::App* report = add("report", "List what there is and when it expires. Exit status 2: soon.");
  report->add_option("--within", within_, "How many days are soon; 30.");
  report->add_flag("--json", json_, "As JSON.");
}

bool PkiCommand::is_asked_for() const { return command_->parsed(); }

int PkiCommand::run() const {
  const Result<int> status = run(command_->get_subcommands().front()->get_name());
  return status ? *status : exit_status_of(std::unexpected(status.error()));
}

Result<int> PkiCommand::run(const std::string& command) const {
  if (command == "init") return init();
  Result<Pki> pki = Pki::open(directory_, passphrase_from(passphrase_file_));
  if (!pki) return std::unexpected(pki.error());
  if (command == "server") return issue(*pki, Side::Server);
  if (command == "client") return issue(*pki, Side::Client);
  if (command == "revoke") return revoke(*pki);
  if (command == "renew") return renew(*pki);
  if (command == "report") return report(*pki);
  if (auto written = pki->write_revocations(crl_days_, wall_now()); !written) {
    return std::unexpected(written.error());
  }
  say(fmt::format("{}/crl.pem is good for {} days; a server that runs reads it by itself\n",
                  directory_, crl_days_));
  return 0;
}

Result<std::string> PkiCommand::new_passphrase() const {
  if (!passphrase_file_.empty()) return read_passphrase(passphrase_file_);
  if (!encrypt_) return std::string();
  Result<std::string> first = ask_passphrase("New passphrase of the authority's key");
  if (!first) return first;
  Result<std::string> again = ask_passphrase("The same again");
  if (!again) return again;
  if (*first == *again) return first;
  return fail("the two passphrases differ", {}, "try again");
}

Result<int> PkiCommand::init() const {
  Result<std::string> passphrase = new_passphrase();
  if (!passphrase) return std::unexpected(passphrase.error());
  // Before anything is made: half an authority would be in the way of the next try.
  if (!server_.empty()) {
    if (auto checked = check_pki_name(server_); !checked) return std::unexpected(checked.error());
  }
  SystemRandom random;
  Result<Pki> pki = Pki::create(directory_,
                                {.common_name = authority_name_,
                                 .algorithm = algorithm_,
                                 .days = authority_days_,
                                 .crl_days = crl_days_,
                                 .passphrase = *passphrase},
                                random, wall_now());
  wipe({reinterpret_cast<std::uint8_t*>(passphrase->data()), passphrase->size()});
  if (!pki) return std::unexpected(pki.error());
  say(fmt::format("# An authority is in {0}. Keep a copy of {0}/private and {0}/index.txt.\n",
                  directory_));
  if (server_.empty()) return 0;
  const auto issued = pki->issue({.name = server_, .role = Side::Server, .algorithm = algorithm_},
                                 random, wall_now());
  if (!issued) return std::unexpected(issued.error());
  say("# Lines for the server's configuration:\n" + server_lines(directory_, server_));
  return 0;
}

Result<int> PkiCommand::issue(Pki& pki, Side role) const {
  SystemRandom random;
  const auto issued = pki.issue({.name = name_,
                                 .role = role,
                                 .alternative_names = alternative_names_,
                                 .algorithm = algorithm_,
                                 .days = days_},
                                random, wall_now());
  if (!issued) return std::unexpected(issued.error());
  say(fmt::format("{0}/issued/{1}.crt\n{0}/private/{1}.key\n", directory_, name_));
  return 0;
}

Result<int> PkiCommand::revoke(Pki& pki) const {
  const auto revoked = pki.revoke(name_, crl_days_, wall_now());
  if (!revoked) return std::unexpected(revoked.error());
  say(*revoked == 0
          ? fmt::format("{} was revoked before; {}/crl.pem is made anew\n", name_, directory_)
          : fmt::format("{} certificate{} of {} {} revoked; {}/crl.pem says so. A server that runs "
                        "with `crl-verify` drops the client within seconds.\n",
                        *revoked, *revoked == 1 ? "" : "s", name_, *revoked == 1 ? "is" : "are",
                        directory_));
  return 0;
}

Result<int> PkiCommand::renew(Pki& pki) const {
  SystemRandom random;
  const auto renewed = pki.renew({.name = name_, .days = days_}, random, wall_now());
  if (!renewed) return std::unexpected(renewed.error());
  say(fmt::format("{}/issued/{}.crt is good for {} days; its key is the same\n", directory_, name_,
                  days_));
  return 0;
}

Result<int> PkiCommand::report(const Pki& pki) const {
  const auto rows = pki.report(within_, wall_now());
  if (!rows) return std::unexpected(rows.error());
  say(json_ ? report_json(*rows) : report_text(*rows));
  // What has expired and is a client's is no harm; the rest, and what soon will, is to be acted on.
  const bool is_due = std::ranges::any_of(*rows, [](const Row& row) {
    return row.state == Row::State::Due ||
           (row.state == Row::State::Expired && row.kind != Row::Kind::Client &&
            row.kind != Row::Kind::Unknown);
  });
  return is_due ? kDue : 0;
}

}  // namespace ringway

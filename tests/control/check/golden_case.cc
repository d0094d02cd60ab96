#include "tests/control/check/golden_case.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "control/check/inspection.h"
#include "control/config/client_files.h"
#include "control/config/config_files.h"

namespace ringway::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

fs::path root() { return fs::path(RINGWAY_SOURCE_ROOT) / "tests/control/check"; }

std::string text_of(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

template <typename T>
std::optional<T> optional_at(const Json& facts, const char* key) {
  const auto found = facts.find(key);
  return found == facts.end() ? std::nullopt : std::optional(found->get<T>());
}

/// "2001:db8::1/64 dynamic".
HostAddress address_of(const std::string& text) {
  std::istringstream words(text);
  std::string address;
  std::getline(words, address, '/');
  int length = 0;
  words >> length;
  HostAddress own{.address = *IpAddress::parse(address),
                  .prefix_length = static_cast<std::uint8_t>(length)};
  for (std::string word; words >> word;) {
    if (word == "dynamic") own.is_dynamic = true;
    if (word == "temporary") own.is_temporary = true;
  }
  return own;
}

HostInterface interface_of(const Json& json) {
  HostInterface interface{.name = json.at("name"),
                          .is_up = json.value("up", true),
                          .is_tun = json.value("tun", false),
                          .accept_ra = optional_at<int>(json, "accept_ra")};
  for (const Json& text : json.at("addresses")) {
    interface.addresses.push_back(address_of(text.get<std::string>()));
  }
  return interface;
}

NameAnswer answer_of(const Json& json) {
  NameAnswer answer;
  if (json.is_string()) {
    answer.problem = json;
    return answer;
  }
  for (const Json& text : json) {
    answer.addresses.push_back(*IpAddress::parse(text.get<std::string>()));
  }
  return answer;
}

FileAccess access_of(const std::string& text) {
  const auto has = [&](const char* word) { return text.find(word) != text.npos; };
  return {.exists = has("exists"),
          .may_read = has("read"),
          .may_write = has("write"),
          .may_replace = has("replace")};
}

HostFacts facts_of(const Json& json) {
  HostFacts facts{.kernel = json.value("kernel", ""), .is_root = json.value("is_root", true)};
  for (const Json& interface : json.at("interfaces")) {
    facts.interfaces.push_back(interface_of(interface));
  }
  facts.bind_v6_only = optional_at<int>(json, "bind_v6_only");
  facts.forwarding_v4 = optional_at<int>(json, "forwarding_v4");
  facts.forwarding_v6 = optional_at<int>(json, "forwarding_v6");
  facts.rp_filter_all = optional_at<int>(json, "rp_filter_all");
  facts.io_uring_disabled = optional_at<int>(json, "io_uring_disabled");
  facts.conntrack_count = optional_at<std::uint64_t>(json, "conntrack_count");
  facts.conntrack_max = optional_at<std::uint64_t>(json, "conntrack_max");
  facts.locked_memory_max = optional_at<std::uint64_t>(json, "locked_memory_max");
  facts.has_tun_device = optional_at<bool>(json, "has_tun_device");
  facts.user_exists = optional_at<bool>(json, "user_exists");
  facts.group_exists = optional_at<bool>(json, "group_exists");
  if (!json.at("nft").is_null()) facts.nft_ruleset = json.at("nft").dump();
  facts.nft_problem = json.value("nft_problem", "");
  const Json names = json.value("names", Json::object());
  for (const auto& [name, answer] : names.items()) {
    facts.names[name] = answer_of(answer);
  }
  const Json files = json.value("files", Json::object());
  for (const auto& [path, access] : files.items()) {
    facts.files[path] = access_of(access.get<std::string>());
  }
  return facts;
}

/// A copy of the case and of the keys, which is the working directory while it lives.
class Copy {
 public:
  explicit Copy(const std::string& name) : before_(fs::current_path()) {
    folder_ = fs::temp_directory_path() / ("ringway-check-" + std::to_string(::getpid()));
    fs::create_directories(folder_ / "cases");
    fs::copy(root() / "pki", folder_ / "pki");
    fs::copy(root() / "cases" / name, folder_ / "cases" / name, fs::copy_options::recursive);
    const fs::perms mode = fs::perms::owner_read | fs::perms::owner_write |
                           (name == "key-exposed" ? fs::perms::others_read : fs::perms::none);
    for (const auto& entry : fs::directory_iterator(folder_ / "pki")) {
      fs::permissions(entry.path(), mode);
    }
    fs::current_path(folder_ / "cases" / name);
  }
  ~Copy() {
    fs::current_path(before_);
    fs::remove_all(folder_);
  }
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;

 private:
  fs::path before_;
  fs::path folder_;
};

}  // namespace

std::vector<std::string> golden_case_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(root() / "cases")) {
    names.push_back(entry.path().filename());
  }
  std::ranges::sort(names);
  return names;
}

std::string golden_case_folder(const std::string& name) {
  return (root() / "cases" / name).string() + "/";
}

CheckReport run_golden_case(const std::string& name) {
  const Copy copy(name);
  const std::string file = fs::exists("server.conf") ? "server.conf" : "client.ovpn";
  const std::string text = text_of(file);
  const ConfigKind kind = kind_of_config(text);
  EXPECT_EQ(kind == ConfigKind::Server, file == "server.conf") << name;
  ConfigSurvey survey = survey_config(kind, text, file, {}, read_text_file);
  const std::vector<Error> unreadable = load_all_files(survey.draft);
  const Json facts = Json::parse(text_of("facts.json"));
  const std::vector<ClientFileText> client_files =
      read_client_files("ccd").value_or(std::vector<ClientFileText>{});
  std::optional<HostFacts> host;
  if (!facts.at("host").is_null()) host = facts_of(facts.at("host"));
  return {.source = file,
          .kind = kind,
          .findings = inspect({.survey = survey,
                               .unreadable = unreadable,
                               .host = host ? &*host : nullptr,
                               .now = {facts.at("now").get<std::int64_t>()},
                               .client_files = &client_files})};
}

}  // namespace ringway::test

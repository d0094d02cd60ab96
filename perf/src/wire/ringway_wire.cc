#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <string>

#include "base/log.h"
#include "perf/src/wire/lab.h"

/// `ringway-wire`: the generator of perf/wire. Makes both network cards, says {"event":"ready"},
/// and does what standard input asks for, a line each, answering each with one line of JSON:
///
///   connect SECONDS          brings all clients up
///   run NAME=VALUE ...       one measurement; RunPlan::parse() lists the names
///   quit
namespace ringway::wire {
namespace {

constexpr int kServiceIntervalMs = 200;

void answer(const std::string& json) {
  fmt::print("{}\n", json);
  std::fflush(stdout);
}

/// The texts are our own, or were made safe for a log; what JSON forbids is left out all the same.
void answer_error(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    if (c == '"' || c == '\\') safe += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) safe += c;
  }
  answer(fmt::format(R"({{"error":"{}"}})", safe));
}

std::uint64_t number_of(std::string_view text) {
  std::uint64_t value = 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// Reads lines and lets `idle` be called while there is none.
class CommandInput {
 public:
  /// Nothing at the end of the input.
  template <typename Idle>
  std::optional<std::string> next(Idle idle) {
    while (true) {
      const std::size_t end = pending_.find('\n');
      if (end != std::string::npos) {
        std::string line = pending_.substr(0, end);
        pending_.erase(0, end + 1);
        return line;
      }
      pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
      if (::poll(&input, 1, kServiceIntervalMs) == 0) {
        idle();
        continue;
      }
      char chunk[4096];
      const ssize_t size = ::read(STDIN_FILENO, chunk, sizeof chunk);
      if (size <= 0) return std::nullopt;
      pending_.append(chunk, static_cast<std::size_t>(size));
    }
  }

 private:
  std::string pending_;
};

void connect(Lab& lab, std::string_view seconds) {
  const Instant start = monotonic_now();
  const Result<void> connected =
      lab.connect(std::chrono::seconds(static_cast<std::int64_t>(number_of(seconds))));
  if (!connected) return answer_error(connected.error().to_string());
  answer(fmt::format(R"({{"event":"connected","ns":{}}})", (monotonic_now() - start).count()));
}

void run(Lab& lab, std::string_view words) {
  const auto plan = RunPlan::parse(words);
  if (!plan) return answer_error("this word means nothing: " + plan.error());
  const Result<RunResult> result = lab.run(*plan);
  if (!result) return answer_error(result.error().to_string());
  answer(result->to_json());
}

int serve(const LabSettings& settings) {
  const Result<std::unique_ptr<Lab>> lab = Lab::make(settings);
  if (!lab) {
    answer_error(lab.error().to_string());
    return 1;
  }
  answer(R"({"event":"ready"})");
  CommandInput input;
  while (const auto line = input.next([&] { (*lab)->service(); })) {
    const std::string_view words = *line;
    const std::size_t space = std::min(words.find(' '), words.size());
    const std::string_view verb = words.substr(0, space);
    const std::string_view rest = words.substr(std::min(space + 1, words.size()));
    if (verb == "quit") break;
    if (verb == "connect") {
      connect(**lab, rest);
    } else if (verb == "run") {
      run(**lab, rest);
    } else {
      answer_error("there is no such command: " + *line);
    }
  }
  return 0;
}

}  // namespace
}  // namespace ringway::wire

// CLI11 throws where an option is declared wrongly, which is a bug that may end the program.
int main(int argc, char** argv) {  // NOLINT(bugprone-exception-escape)
  using namespace ringway;
  CLI::App app("Both wires of a VPN server, and everybody at their other ends; see perf/wire.");
  wire::LabSettings settings;
  std::string cipher = "AES-256-GCM";
  app.add_option("--clients", settings.clients, "How many clients")->check(CLI::Range(1, 60000));
  app.add_option("--family", settings.family, "The family outside")->check(CLI::IsMember({4, 6}));
  app.add_option("--queues", settings.queues, "Queues of each card")->check(CLI::Range(1, 256));
  app.add_option("--port", settings.port, "The server's port");
  app.add_option("--cipher", cipher, "The cipher that the clients offer");
  app.add_option("--ca", settings.ca_path, "Who signs the server's certificate")->required();
  app.add_option("--cert", settings.cert_path, "The clients' certificate")->required();
  app.add_option("--key", settings.key_path, "The clients' key")->required();
  app.add_option("--server-device", settings.server_device, "The server's TUN device");
  app.add_option("--plain", settings.plain_address,
                 "Measure a forwarder without cryptography; the first client's inner address");
  CLI11_PARSE(app, argc, argv);
  log::open({.verb = 1});
  const auto parsed = parse_data_cipher(cipher);
  if (!parsed) {
    fmt::print(stderr, "ringway-wire: there is no cipher {}\n", cipher);
    return 1;
  }
  settings.cipher = *parsed;
  return wire::serve(settings);
}

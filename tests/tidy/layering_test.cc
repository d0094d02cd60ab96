#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/tidy/source_tree.h"

// The include rules of docs/ARCHITECTURE.md, "Layers". A violation prints the line and the rule.
namespace ringway::test {
namespace {

using Folders = std::vector<std::string_view>;

/// A layer and the folders that its files may include from, beside its own.
struct Layer {
  std::string_view folder;
  Folders may_include;
  std::string_view rule;
};

/// The most specific folder comes first: a file belongs to the first layer that it is in.
const std::vector<Layer> kLayers = {
    {"base", {}, "rule 1: base includes only the standard library and libsodium"},
    {"tun", {"base"}, "rule 2: tun includes base"},
    {"dataplane/channel", {"base"}, "rule 2: dataplane/channel includes base"},
    {"dataplane/admission", {"base"}, "rule 4: dataplane/admission includes base alone"},
    {"dataplane",
     {"base", "tun", "dataplane/channel", "dataplane/admission"},
     "rule 4: dataplane never includes control; what it tells it is in dataplane/messages.h"},
    {"control/channel",
     {"base", "dataplane/channel", "dataplane/admission"},
     "rule 3: control/channel produces DataKeys, and knows nothing else of the data plane"},
    {"control/config",
     {"base", "dataplane/channel", "dataplane/admission"},
     "rule 5: a configuration is values of the layers below control"},
    {"control/check",
     {"base", "dataplane/channel", "dataplane/admission", "control/channel", "control/config"},
     "rule 5: findings are about a configuration, and pure"},
    {"control/programs",
     {"base", "dataplane", "dataplane/channel", "dataplane/admission", "control", "control/channel",
      "control/config"},
     "rule 5: programs answer the plane's questions"},
    {"control/pki",
     {"base", "dataplane/admission", "control", "control/channel", "control/config"},
     "rule 5: an authority's folder is for tools, and no part of a server"},
    {"control",
     {"base", "tun", "dataplane", "dataplane/channel", "dataplane/admission", "control/channel",
      "control/config", "control/programs"},
     "rule 5: control includes all layers below it"},
    {"tools",
     {"base", "tun", "dataplane", "dataplane/channel", "dataplane/admission", "control",
      "control/channel", "control/check", "control/config", "control/pki"},
     "rule 5: tools is included by nobody and includes neither perf nor tests"},
    {"perf",
     {"base", "tun", "dataplane", "dataplane/channel", "dataplane/admission", "control",
      "control/channel", "control/config", "tools", "perf/bench", "perf/src/floor",
      "perf/src/loadgen", "perf/src/wire"},
     "rule 5: perf includes everything but tests"},
};

/// A system header, or several that begin alike, and the only files that may include it: path
/// prefixes, so that "dataplane/ring." covers ring.h and ring.cc.
struct Pen {
  std::string_view header;
  Folders allowed;
};

const std::vector<Pen> kPens = {
    {"cap-ng.h", {"dataplane/confinement.", "control/privileges."}},
    {"seccomp.h", {"dataplane/confinement."}},
    {"linux/io_uring.h", {"dataplane/confinement."}},
    {"liburing.h", {"dataplane/ring.", "dataplane/receive_buffers."}},
    {"linux/if_tun.h", {"tun/tun_device.cc"}},
    {"linux/bpf", {"tun/tun_steering.", "dataplane/link_steering.", "dataplane/confinement."}},
    {"bpf/", {"tun/tun_steering.", "dataplane/link_steering."}},
    {"linux/filter.h", {"dataplane/link_steering.", "tun/tun_steering."}},
    {"libmnl/", {"tun/rtnetlink.", "tun/host_links."}},
    {"openssl/",
     {"dataplane/channel/aead", "dataplane/admission/tls_auth.", "dataplane/admission/tls_crypt",
      "dataplane/admission/hmac_key.", "dataplane/admission/handshake_cookie.",
      "control/channel/tls_", "control/channel/certificates.",
      "control/channel/certificate_report.", "control/channel/certificate_rules.",
      "control/channel/key_derivation.", "control/channel/openssl_handles.", "control/pki/"}},
    {"intel-ipsec-mb.h", {"dataplane/channel/aead_ipsec_mb."}},
    {"sodium.h",
     {"base/secret.cc", "base/wiped_heap.cc", "base/random.cc", "base/address.cc", "base/base64.cc",
      "dataplane/channel/aead", "dataplane/channel/epoch_schedule.cc"}},
    {"spdlog/", {"base/log.cc"}},
    {"thread",
     {"dataplane/worker", "control/control_thread.", "control/client_loop.", "control/server",
      "tools/", "perf/"}},
    {"atomic",
     {"dataplane/worker", "dataplane/spsc_queue.h", "dataplane/packet_ring.", "dataplane/counters.",
      "dataplane/peer_traffic.", "control/control_thread.", "control/server", "tools/", "perf/"}},
    {"mutex", {"base/secret.cc", "tools/", "perf/"}},
    {"condition_variable", {"tools/", "perf/"}},
    {"iostream", {"tools/", "perf/"}},
    {"regex", {}},
    {"random", {}},
};

/// What nothing under a folder named channel/, nor the admission core, may include (rule 6).
const Folders kImpureHeaders = {"sys/",     "unistd.h", "fcntl.h",  "poll.h",    "netinet/",
                                "arpa/",    "net/",     "linux/",   "fstream",   "filesystem",
                                "iostream", "thread",   "atomic",   "mutex",     "chrono",
                                "random",   "csignal",  "signal.h", "base/log.h"};

/// Clocks are read in base/time.cc and nowhere else, whatever they are called.
const Folders kClockReads = {"steady_clock",  "system_clock", "high_resolution_clock",
                             "clock_gettime", "gettimeofday", "monotonic_now",
                             "wall_now",      "read_clocks"};

/// Types of the control layer; the data plane does not even name them.
const Folders kControlNames = {"ControlPlane", "ControlChannel", "ClientCore",
                               "ServerConfig", "ControlThread",  "TlsContext",
                               "TlsSession",   "PushReply",      "PeerInfo"};

struct Include {
  std::string header;
  bool is_quoted = false;
};

std::optional<Include> include_on(std::string_view line) {
  constexpr std::string_view kDirective = "#include ";
  if (!line.starts_with(kDirective)) return std::nullopt;
  line.remove_prefix(kDirective.size());
  if (line.empty()) return std::nullopt;
  const bool is_quoted = line.front() == '"';
  const std::size_t end = line.find(is_quoted ? '"' : '>', 1);
  if (end == std::string_view::npos) return std::nullopt;
  return Include{std::string(line.substr(1, end - 1)), is_quoted};
}

bool is_product(const SourceFile& file) {
  return file.is_cpp() && !file.is_in("tests") &&
         std::any_of(kLayers.begin(), kLayers.end(),
                     [&](const Layer& layer) { return file.is_in(layer.folder); });
}

bool is_pure(const SourceFile& file) {
  return file.is_in("dataplane/channel") || file.is_in("dataplane/admission") ||
         file.is_in("control/channel");
}

const Layer* layer_of(const SourceFile& file) {
  const auto found = std::find_if(kLayers.begin(), kLayers.end(),
                                  [&](const Layer& layer) { return file.is_in(layer.folder); });
  return found == kLayers.end() ? nullptr : &*found;
}

bool begins_with_any(std::string_view text, const Folders& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](std::string_view prefix) { return text.starts_with(prefix); });
}

/// Calls `visit(file, line index, include)` for each #include of the C++ files that `wanted` picks.
template <typename Wanted, typename Visit>
void each_include(Wanted wanted, Visit visit) {
  for (const SourceFile& file : source_tree()) {
    if (!file.is_cpp() || !wanted(file)) continue;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      if (const auto include = include_on(file.lines[i])) visit(file, i, *include);
    }
  }
}

bool exists(std::string_view path) {
  return std::any_of(source_tree().begin(), source_tree().end(),
                     [&](const SourceFile& file) { return file.path == path; });
}

TEST(Layering, TheTreeWasFound) {
  EXPECT_TRUE(exists("base/bytes.h"));
  EXPECT_TRUE(exists("dataplane/messages.h"));
}

TEST(Layering, IncludesPointDownOnly) {
  each_include(is_product, [](const SourceFile& file, std::size_t line, const Include& include) {
    if (!include.is_quoted) return;
    const Layer& layer = *layer_of(file);
    const std::string_view target = folder_of(include.header);
    // The labs share what they have: perf is one layer, with all its folders.
    const bool is_within_perf = layer.folder == "perf" && target.starts_with("perf/");
    const bool allowed = target == layer.folder || is_within_perf ||
                         std::find(layer.may_include.begin(), layer.may_include.end(), target) !=
                             layer.may_include.end();
    EXPECT_TRUE(allowed) << place(file, line) << " includes " << include.header << "\n  "
                         << layer.rule;
  });
}

TEST(Layering, IncludePathsBeginAtTheRoot) {
  each_include([](const SourceFile&) { return true; },
               [](const SourceFile& file, std::size_t line, const Include& include) {
                 if (!include.is_quoted) return;
                 EXPECT_TRUE(exists(include.header))
                     << place(file, line) << ": there is no " << include.header
                     << "\n  paths begin at the repository's root; <> is for system headers";
               });
}

TEST(Layering, SystemHeadersStayInTheirPens) {
  each_include(is_product, [](const SourceFile& file, std::size_t line, const Include& include) {
    if (include.is_quoted) return;
    for (const Pen& pen : kPens) {
      const bool is_penned = pen.header.ends_with('/') || pen.header.find('/') != pen.header.npos
                                 ? include.header.starts_with(pen.header)
                                 : include.header == pen.header;
      EXPECT_TRUE(!is_penned || begins_with_any(file.path, pen.allowed))
          << place(file, line) << " includes <" << include.header
          << ">\n  rule 7: this header is penned in; use the type that wraps it";
    }
  });
}

TEST(Layering, ChannelsAndAdmissionArePure) {
  each_include(is_pure, [](const SourceFile& file, std::size_t line, const Include& include) {
    for (const std::string_view impure : kImpureHeaders) {
      const bool is_impure =
          impure.ends_with('/') ? include.header.starts_with(impure) : include.header == impure;
      EXPECT_FALSE(is_impure) << place(file, line) << " includes " << include.header
                              << "\n  rule 6: no system calls, clock, randomness, threads or "
                                 "logging in a pure folder";
    }
  });
}

TEST(Layering, CoresReadNoClock) {
  for (const SourceFile& file : source_tree()) {
    // The shells read the clock once a turn; the cores are handed what they read.
    if (!file.is_cpp() || !(is_pure(file) || file.is_in("tun"))) continue;
    for (std::size_t i = 0; i < file.code.size(); ++i) {
      for (const std::string_view clock : kClockReads) {
        EXPECT_FALSE(has_word(file.code[i], clock))
            << place(file, i) << " mentions " << clock
            << "\n  rule 6: time is an argument; see Instant in base/time.h";
      }
    }
  }
}

TEST(Layering, ClocksAreReadInOnePlace) {
  for (const SourceFile& file : source_tree()) {
    // The filter of system calls names them all.
    const bool is_excused = file.path == "base/time.cc" || file.path == "dataplane/confinement.cc";
    if (!is_product(file) || is_excused) continue;
    for (std::size_t i = 0; i < file.code.size(); ++i) {
      for (const std::string_view clock :
           {"steady_clock", "system_clock", "high_resolution_clock", "clock_gettime",
            "gettimeofday", "std::time", "::time"}) {
        EXPECT_FALSE(has_word(file.code[i], clock))
            << place(file, i) << " reads " << clock
            << "\n  rule 7: only base/time.cc reads a clock; call read_clocks() in a shell";
      }
    }
  }
}

TEST(Layering, TheDataPlaneSpeaksOnlyItsOwnLanguage) {
  for (const SourceFile& file : source_tree()) {
    if (!file.is_cpp() || !file.is_in("dataplane")) continue;
    for (std::size_t i = 0; i < file.code.size(); ++i) {
      for (const std::string_view name : kControlNames) {
        EXPECT_FALSE(has_word(file.code[i], name))
            << place(file, i) << " names " << name
            << "\n  rule 4: what the data plane tells the control thread is in "
               "dataplane/messages.h";
      }
    }
  }
}

TEST(Layering, TestsAreIncludedByNobody) {
  each_include(is_product, [](const SourceFile& file, std::size_t line, const Include& include) {
    EXPECT_FALSE(include.header.starts_with("tests/"))
        << place(file, line) << "\n  rule 5: tests are included by nobody";
  });
}

}  // namespace
}  // namespace ringway::test

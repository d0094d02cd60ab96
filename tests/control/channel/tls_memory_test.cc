#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <array>
#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "control/channel/tls_context.h"
#include "control/channel/tls_session.h"
#include "tests/support/certificates.h"

/// What a TLS session leaves in memory when it has ended: none of the secrets that its keys, and
/// those of the data channel, come from (D03). A program of its own, for OpenSSL's allocator is
/// chosen before anything else.
namespace ringway {
namespace {

const bool kFreedMemoryIsWiped = (wipe_what_openssl_frees(), true);

/// Masked, so that the test's own copies are not what it finds.
constexpr std::uint8_t kMask = 0x55;
struct MaskedSecret {
  std::string label;
  std::vector<std::uint8_t> bytes;
};
std::vector<MaskedSecret>& secrets() {
  static std::vector<MaskedSecret> all;
  return all;
}

std::uint8_t nibble(char c) { return static_cast<std::uint8_t>(c <= '9' ? c - '0' : c - 'a' + 10); }

/// OpenSSL's line: "LABEL CLIENT_RANDOM SECRET", in hexadecimal.
void note_secret(const SSL*, const char* line) {
  const std::string text(line);
  MaskedSecret secret{.label = text.substr(0, text.find(' ')), .bytes = {}};
  for (std::size_t at = text.rfind(' ') + 1; at + 1 < text.size(); at += 2) {
    const int byte = nibble(text[at]) << 4 | nibble(text[at + 1]);
    secret.bytes.push_back(static_cast<std::uint8_t>(byte ^ kMask));
  }
  secrets().push_back(std::move(secret));
}

/// In place: a copy would be found, too.
__attribute__((no_sanitize("address"))) std::size_t count_in(const std::uint8_t* memory,
                                                             std::size_t size,
                                                             const MaskedSecret& secret) {
  std::size_t count = 0;
  for (std::size_t at = 0; at + secret.bytes.size() <= size; ++at) {
    std::size_t same = 0;
    while (same < secret.bytes.size() &&
           static_cast<std::uint8_t>(memory[at + same] ^ kMask) == secret.bytes[same]) {
      ++same;
    }
    count += same == secret.bytes.size() ? 1 : 0;
  }
  return count;
}

std::size_t places_of(const MaskedSecret& secret) {
  constexpr std::size_t kMappingMax = std::size_t{64} << 20;  // Beyond are a sanitizer's shadows.
  std::size_t count = 0;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find(" rw") == std::string::npos) continue;
    std::size_t dash = 0;
    const std::uintptr_t begin = std::stoull(line, &dash, 16);
    const std::uintptr_t end = std::stoull(line.substr(dash + 1), nullptr, 16);
    if (end - begin > kMappingMax) continue;
    count += count_in(reinterpret_cast<const std::uint8_t*>(begin), end - begin, secret);
  }
  return count;
}

TlsContext make_context(Side side, const char* version_min) {
  const bool is_server = side == Side::Server;
  TlsMaterial material{
      .ca_pem = std::string(test::kCaPem),
      .cert_pem = std::string(is_server ? test::kServerCertPem : test::kClientCertPem),
      .key_pem = std::string(is_server ? test::kServerKeyPem : test::kClientKeyPem)};
  material.version_min = version_min;
  auto context = TlsContext::make(side, material, UnixTime{1'795'458'636});
  EXPECT_TRUE(context.has_value());
  SSL_CTX_set_keylog_callback(context->native(), note_secret);
  return std::move(*context);
}

void pass(TlsSession& from, TlsSession& to) {
  std::array<std::uint8_t, 4096> piece;
  while (from.output_size() > 0) to.feed(Bytes(piece).first(from.take_output(piece)));
}

TEST(TlsMemory, HasNoSecretOfASessionThatHasEnded) {  // D03
  ASSERT_TRUE(kFreedMemoryIsWiped);
  const TlsContext server_context = make_context(Side::Server, "1.2");
  const TlsContext client_context = make_context(Side::Client, "1.2");
  auto server = std::make_unique<TlsSession>(server_context, UnixTime{1'795'458'636});
  auto client = std::make_unique<TlsSession>(client_context, UnixTime{1'795'458'636});
  for (int round = 0; round < 10; ++round) {
    pass(*client, *server);
    pass(*server, *client);
  }
  ASSERT_TRUE(server->handshake_done() && client->handshake_done());
  std::size_t found_alive = 0;
  for (const MaskedSecret& secret : secrets()) found_alive += places_of(secret);
  ASSERT_GT(found_alive, 0u) << "the search finds nothing";

  server.reset();
  client.reset();

  for (const MaskedSecret& secret : secrets()) {
    EXPECT_EQ(places_of(secret), 0u) << secret.label;
  }
}

}  // namespace
}  // namespace ringway

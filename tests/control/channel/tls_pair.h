#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "control/channel/tls_session.h"
#include "tests/support/channel_pair_setup.h"

/// Two TLS sessions with a wire between them.
namespace ringway::test {

/// Carries bytes between the two until nothing moves, `chunk` at a time.
inline void shuttle(TlsSession& a, TlsSession& b, std::size_t chunk = 1000) {
  std::vector<std::uint8_t> bytes(chunk);
  for (bool moved = true; moved;) {
    moved = false;
    for (const auto& [from, to] : {std::pair(&a, &b), std::pair(&b, &a)}) {
      if (const std::size_t size = from->take_output(bytes)) {
        to->feed(Bytes(bytes).first(size));
        moved = true;
      }
    }
    // Reading is what notices an alert, and in TLS 1.3 the other end's verdict about us.
    std::vector<std::uint8_t> record(TlsSession::kRecordSizeMax);
    if (a.handshake_done() && a.output_size() == 0) (void)a.read(record);
  }
}

struct TlsPair {
  explicit TlsPair(const TlsMaterial& server_side = server_material(),
                   const TlsMaterial& client_side = client_material(), UnixTime now = kTestDay)
      : server_context(test::make_context(Side::Server, server_side)),
        client_context(test::make_context(Side::Client, client_side)),
        server(server_context, now),
        client(client_context, now) {}
  void run(std::size_t chunk = 1000) { shuttle(client, server, chunk); }

  TlsContext server_context;
  TlsContext client_context;
  TlsSession server;
  TlsSession client;
};

}  // namespace ringway::test

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/time.h"
#include "control/channel/client_hello_input.h"
#include "control/channel/control_event.h"
#include "control/channel/tls_context.h"

struct bio_st;
struct ssl_st;

namespace ringway {

/// One TLS connection over two memory BIOs: bytes in, bytes out, no socket.
///
/// Pure but for OpenSSL's own randomness. Owned by one KeyNegotiation; the context outlives it. It
/// fails once and for good, with a reason; the alert for the peer is then among its output.
class TlsSession {
 public:
  /// What one read() may return, and the most that one write() takes.
  static constexpr std::size_t kRecordSizeMax = 16 * 1024;
  /// Input beyond this before the handshake is done ends the session (security goal A13).
  static constexpr std::size_t kHandshakeInputMax = 64 * 1024;
  /// A peer that never acknowledges cannot make us pile up more than this.
  static constexpr std::size_t kOutputMax = 64 * 1024;

  /// Certificates are judged at `now`. A client's first message is at once among its output; a
  /// server asks OpenSSL for nothing before it has a whole ClientHello.
  TlsSession(const TlsContext& context, UnixTime now);
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;
  ~TlsSession();

  void feed(Bytes input);
  /// What of our output the peer has not been given.
  [[nodiscard]] std::size_t output_size() const;
  /// The next bytes of it; returns how many.
  std::size_t take_output(MutableBytes out);

  /// The plaintext of one record, at most kRecordSizeMax; nothing when none is complete.
  std::optional<std::size_t> read(MutableBytes out);
  /// One record: stock clients take one read for one message. handshake_done() must hold.
  void write(Bytes message);

  [[nodiscard]] bool handshake_done() const { return state_ == State::Established; }
  [[nodiscard]] bool failed() const { return state_ == State::Failed; }
  /// For the log; may hold peer text.
  [[nodiscard]] const std::string& failure() const { return failure_; }

  [[nodiscard]] PeerCertificate peer_certificate() const;
  /// RFC 5705 without a context, which in TLS 1.2 is not the same as an empty one.
  [[nodiscard]] bool export_keying_material(std::string_view label, MutableBytes out) const;
  /// "TLSv1.3, TLS_AES_256_GCM_SHA384".
  [[nodiscard]] std::string description() const;
  /// Null before a server's has begun.
  [[nodiscard]] ssl_st* native() const { return ssl_; }

 private:
  enum class State : std::uint8_t { Handshaking, Established, Failed };

  void begin();
  void hand_over(Bytes input);
  void advance_handshake();
  void fail(std::string_view what);
  void fail_with_library_error();

  const TlsContext& context_;
  Side side_;
  UnixTime judged_at_;
  State state_ = State::Handshaking;
  ssl_st* ssl_ = nullptr;
  bio_st* input_ = nullptr;
  bio_st* output_ = nullptr;
  std::size_t handshake_input_ = 0;
  /// A server's, until it has begun.
  ClientHelloInput hello_;
  /// Filled by TlsVerification.
  std::string certificate_fault_;
  std::string failure_;
};

}  // namespace ringway

#include "control/channel/tls_session.h"

#include <openssl/err.h>

#include <algorithm>

#include "base/check.h"
#include "control/channel/certificates.h"
#include "control/channel/openssl_handles.h"
#include "control/channel/tls_verification.h"

namespace ringway {

TlsSession::TlsSession(const TlsContext& context, UnixTime now)
    : context_(context), side_(context.side()), judged_at_(now) {
  if (side_ == Side::Server) return;
  begin();
  advance_handshake();
}

TlsSession::~TlsSession() { SSL_free(ssl_); }

void TlsSession::begin() {
  ssl_ = SSL_new(context_.native());
  input_ = BIO_new(BIO_s_mem());
  output_ = BIO_new(BIO_s_mem());
  RW_ASSERT(ssl_ != nullptr);
  RW_ASSERT(input_ != nullptr);
  RW_ASSERT(output_ != nullptr);
  SSL_set_bio(ssl_, input_, output_);  // Both belong to ssl_ from here on.
  TlsVerification::watch(ssl_, judged_at_, &certificate_fault_);
  if (side_ == Side::Server) {
    SSL_set_accept_state(ssl_);
  } else {
    SSL_set_connect_state(ssl_);
  }
}

void TlsSession::feed(Bytes input) {
  if (failed() || input.empty()) return;
  if (state_ == State::Handshaking) {
    handshake_input_ += input.size();
    if (handshake_input_ > kHandshakeInputMax) return fail("the handshake is too large");
  }
  if (ssl_ != nullptr) return hand_over(input);
  switch (hello_.add(input)) {
    case ClientHelloInput::Verdict::NeedsMore: return;
    case ClientHelloInput::Verdict::IsForeign: return fail("the first message is no ClientHello");
    case ClientHelloInput::Verdict::IsWhole: break;
  }
  begin();
  hand_over(hello_.bytes());
  hello_.release();
}

void TlsSession::hand_over(Bytes input) {
  RW_ASSERT(BIO_write(input_, input.data(), static_cast<int>(input.size())) ==
            static_cast<int>(input.size()));
  if (state_ == State::Handshaking) advance_handshake();
}

void TlsSession::advance_handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_);
  if (result == 1) {
    state_ = State::Established;
    return;
  }
  if (SSL_get_error(ssl_, result) != SSL_ERROR_WANT_READ) fail_with_library_error();
}

std::optional<std::size_t> TlsSession::read(MutableBytes out) {
  RW_ASSERT(out.size() >= kRecordSizeMax);
  if (state_ != State::Established) return std::nullopt;
  ERR_clear_error();
  const int size = SSL_read(ssl_, out.data(), static_cast<int>(out.size()));
  if (size > 0) return static_cast<std::size_t>(size);

  const int error = SSL_get_error(ssl_, size);
  if (error == SSL_ERROR_ZERO_RETURN) {
    fail("the peer closed the TLS session");
  } else if (error != SSL_ERROR_WANT_READ) {
    fail_with_library_error();
  } else if (output_size() > kOutputMax) {
    // For instance a peer that asks for key updates and acknowledges nothing.
    fail("the peer does not take our output");
  }
  return std::nullopt;
}

void TlsSession::write(Bytes message) {
  RW_ASSERT(message.size() <= kRecordSizeMax);
  if (failed()) return;
  RW_ASSERT(state_ == State::Established);
  if (message.empty()) return;
  ERR_clear_error();
  const int size = SSL_write(ssl_, message.data(), static_cast<int>(message.size()));
  if (size != static_cast<int>(message.size())) fail_with_library_error();
}

std::size_t TlsSession::output_size() const {
  return output_ == nullptr ? 0 : BIO_ctrl_pending(output_);
}

std::size_t TlsSession::take_output(MutableBytes out) {
  if (output_ == nullptr) return 0;
  const int size = BIO_read(output_, out.data(), static_cast<int>(out.size()));
  return size > 0 ? static_cast<std::size_t>(size) : 0;
}

void TlsSession::fail(std::string_view what) {
  state_ = State::Failed;
  failure_ = what;
}

void TlsSession::fail_with_library_error() {
  const std::string error = openssl::take_errors();
  if (!certificate_fault_.empty()) {
    fail("the peer's certificate is refused: " + certificate_fault_);
  } else {
    fail(error.empty() ? "TLS error" : "TLS error: " + error);
  }
}

PeerCertificate TlsSession::peer_certificate() const {
  if (ssl_ == nullptr) return {};
  X509* certificate = SSL_get0_peer_certificate(ssl_);
  if (certificate == nullptr || state_ != State::Established) return {};
  PeerCertificate description = TlsVerification::describe(ssl_, certificate);
  const STACK_OF(X509)* chain = SSL_get0_verified_chain(ssl_);
  for (int i = 0; side_ == Side::Server && i < sk_X509_num(chain); ++i) {
    description.chain.push_back(describe_for_programs(sk_X509_value(chain, i)));
  }
  // Where fingerprints decide, there is no chain beyond the certificate.
  if (side_ == Side::Server && description.chain.empty()) {
    description.chain.push_back(describe_for_programs(certificate));
  }
  return description;
}

bool TlsSession::export_keying_material(std::string_view label, MutableBytes out) const {
  if (state_ != State::Established) return false;
  constexpr int kNoContext = 0;
  const bool exported = SSL_export_keying_material(ssl_, out.data(), out.size(), label.data(),
                                                   label.size(), nullptr, 0, kNoContext) == 1;
  ERR_clear_error();
  return exported;
}

std::string TlsSession::description() const {
  if (ssl_ == nullptr) return {};
  return std::string(SSL_get_version(ssl_)) + ", " + SSL_get_cipher_name(ssl_);
}

}  // namespace ringway

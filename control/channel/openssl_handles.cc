#include "control/channel/openssl_handles.h"

#include <openssl/err.h>

#include "base/check.h"

namespace ringway::openssl {

std::string take_errors() {
  std::string text;
  while (const unsigned long code = ERR_get_error()) {
    const char* reason = ERR_reason_error_string(code);
    if (!text.empty()) text += "; ";
    text += reason != nullptr ? reason : "error " + std::to_string(code);
  }
  return text;
}

BioPtr open_text(std::string_view text) {
  BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  RW_ASSERT(bio != nullptr);
  return bio;
}

}  // namespace ringway::openssl

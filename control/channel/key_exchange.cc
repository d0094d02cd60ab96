#include "control/channel/key_exchange.h"

#include <algorithm>
#include <optional>

namespace ringway {
namespace {

constexpr std::uint8_t kKeyMethod = 2;
constexpr std::uint8_t kKeyMethodMask = 0x0f;

/// The next string without its NUL; an absent one is empty. `valid` is cleared, and stays so, when
/// its NUL is missing or another one is inside. A length beyond the end sets reader.truncated().
std::string_view read_string(ByteReader& reader, bool& valid) {
  if (reader.left() == 0) return {};
  const std::uint16_t size = reader.u16();
  const std::string_view text = text_of(reader.take(size));
  if (text.empty()) return {};
  if (text.find('\0') != text.size() - 1) valid = false;
  return text.substr(0, text.size() - 1);
}

/// In place: a short text that is moved stays behind where it was.
void copy_without_control_bytes(std::string_view text, std::string& to) {
  to = text;
  std::ranges::replace_if(
      to,
      [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7f;
      },
      '_');
}

void write_string(std::string_view text, ByteWriter& out) {
  if (text.empty()) {
    out.u16(0);
    return;
  }
  out.u16(static_cast<std::uint16_t>(text.size() + 1));
  out.bytes(bytes_of(text));
  out.u8(0);
}

}  // namespace

std::string_view name_of(KeyExchangeFault fault) {
  switch (fault) {
    case KeyExchangeFault::Truncated: return "the key exchange message is cut short";
    case KeyExchangeFault::NotKeyMethod2: return "the key exchange message is not key method 2";
    case KeyExchangeFault::BadString: return "the key exchange message has a malformed string";
  }
  return "";
}

KeyExchange::~KeyExchange() { wipe(password); }

std::expected<KeyExchange, KeyExchangeFault> decode_key_exchange(Bytes message, Side sender) {
  ByteReader reader(message);
  const std::uint32_t zero = reader.u32();
  const std::uint8_t method = reader.u8();
  if (reader.truncated()) return std::unexpected(KeyExchangeFault::Truncated);
  if (zero != 0 || (method & kKeyMethodMask) != kKeyMethod) {
    return std::unexpected(KeyExchangeFault::NotKeyMethod2);
  }

  KeyExchange exchange;
  const MutableBytes material = exchange.source.material.mutable_bytes();
  reader.copy_to(sender == Side::Client ? material : material.subspan(KeySource::kPreMasterSize));
  if (reader.truncated()) return std::unexpected(KeyExchangeFault::Truncated);

  bool strings_valid = true;
  bool credentials_valid = true;
  const std::string_view options = read_string(reader, strings_valid);
  const std::string_view username = read_string(reader, credentials_valid);
  const std::string_view password = read_string(reader, credentials_valid);
  const std::string_view peer_info = read_string(reader, strings_valid);
  if (reader.truncated()) return std::unexpected(KeyExchangeFault::Truncated);
  if (!strings_valid || options.size() + 1 > KeyExchange::kOptionsSizeMax) {
    return std::unexpected(KeyExchangeFault::BadString);
  }

  exchange.options = options;
  exchange.peer_info = peer_info;
  exchange.bad_credentials = !credentials_valid ||
                             username.size() + 1 > KeyExchange::kCredentialSizeMax ||
                             password.size() + 1 > KeyExchange::kCredentialSizeMax;
  if (!exchange.bad_credentials) {
    copy_without_control_bytes(username, exchange.username);
    copy_without_control_bytes(password, exchange.password);
  }
  return exchange;
}

void encode_key_exchange(const KeyExchange& exchange, Side sender, ByteWriter& out) {
  out.u32(0);
  out.u8(kKeyMethod);
  if (sender == Side::Client) out.bytes(exchange.source.pre_master());
  out.bytes(exchange.source.random1());
  out.bytes(exchange.source.random2());
  write_string(exchange.options, out);
  write_string(exchange.username, out);
  write_string(exchange.password, out);
  write_string(exchange.peer_info, out);
}

}  // namespace ringway

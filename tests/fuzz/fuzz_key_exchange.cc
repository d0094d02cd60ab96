#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "control/channel/key_exchange.h"

/// Key-method-2 messages: what is read stays within its limits, and reading what was written from
/// it gives the same again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ringway;
  if (size == 0) return 0;
  const Side sender = data[0] % 2 == 0 ? Side::Client : Side::Server;
  const auto exchange = decode_key_exchange(Bytes(data + 1, size - 1), sender);
  if (!exchange) return 0;
  RW_ASSERT(exchange->options.size() < KeyExchange::kOptionsSizeMax);
  RW_ASSERT(exchange->username.size() < KeyExchange::kCredentialSizeMax);
  RW_ASSERT(exchange->password.size() < KeyExchange::kCredentialSizeMax);

  std::vector<std::uint8_t> buffer(size + 64);
  ByteWriter writer(buffer);
  encode_key_exchange(*exchange, sender, writer);
  RW_ASSERT(!writer.overflowed());
  const auto again = decode_key_exchange(writer.written(), sender);
  RW_ASSERT(again.has_value());
  RW_ASSERT(again->options == exchange->options);
  RW_ASSERT(again->username == exchange->username);
  RW_ASSERT(again->password == exchange->password);
  RW_ASSERT(again->peer_info == exchange->peer_info);
  RW_ASSERT(equal_in_constant_time(again->source.random2(), exchange->source.random2()));
  return 0;
}

#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "control/programs/program_request.h"

/// How requests and reports look on the socket between the server and its helper: one message a
/// packet, a byte for the kind, then the fields in their order; texts and lists have a u32 in
/// front. Pure. Both ends are ours, and still nothing is believed: a message that is cut short or
/// too large is no message.
namespace ringway {

/// Larger ones are refused where they are made.
inline constexpr std::size_t kHelperMessageMax = 320 * 1024;

/// Stop working at a request.
struct ForgetRequest {
  std::uint64_t id = 0;
};
/// No more requests will come; the helper ends when those that it has are done.
struct FinishRequest {};

using HelperRequest = std::variant<ProgramRequest, ReadRequest, OpenRequest, ServeRequest,
                                   ForgetRequest, FinishRequest>;
using HelperReport =
    std::variant<ProgramEnd, ProgramDeferred, FileRead, FileOpened, HelperRestarted>;

/// Empty when it is larger than kHelperMessageMax.
std::vector<std::uint8_t> encode(const HelperRequest& request);
/// Without the descriptor of a FileOpened.
std::vector<std::uint8_t> encode(const HelperReport& report);
std::optional<HelperRequest> decode_request(Bytes message);
std::optional<HelperReport> decode_report(Bytes message);

}  // namespace ringway

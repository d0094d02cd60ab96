#include "control/channel/peer_info.h"

#include <algorithm>
#include <charconv>

namespace ringway {
namespace {

constexpr std::size_t kLineSizeMax = 255;

/// A line as it may be kept: cut to length, and without bytes that would play tricks in a log.
std::string clean_line(std::string_view line) {
  std::string text(line.substr(0, kLineSizeMax));
  std::ranges::replace_if(
      text,
      [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7f;
      },
      '_');
  return text;
}

}  // namespace

PeerInfo PeerInfo::parse(std::string_view text) {
  PeerInfo info;
  while (!text.empty() && info.lines_.size() < kLinesMax) {
    const std::size_t end = text.find('\n');
    std::string_view raw = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    if (raw.ends_with('\r')) raw.remove_suffix(1);

    const std::string line = clean_line(raw);
    const std::size_t equals = line.find('=');
    if (equals == 0 || equals == std::string::npos) continue;
    info.lines_.emplace_back(line.substr(0, equals), line.substr(equals + 1));
  }
  return info;
}

std::string PeerInfo::to_string() const {
  std::string text;
  for (const auto& [name, value] : lines_) text.append(name).append("=").append(value).append("\n");
  return text;
}

void PeerInfo::set(std::string name, std::string value) {
  const auto line = std::ranges::find(lines_, name, [](const auto& entry) { return entry.first; });
  if (line != lines_.end()) {
    line->second = std::move(value);
  } else if (lines_.size() < kLinesMax) {
    lines_.emplace_back(std::move(name), std::move(value));
  }
}

std::optional<std::string_view> PeerInfo::find(std::string_view name) const {
  const auto line = std::ranges::find(lines_, name, [](const auto& entry) { return entry.first; });
  if (line == lines_.end()) return std::nullopt;
  return line->second;
}

std::uint32_t PeerInfo::proto() const {
  const std::string_view text = find("IV_PROTO").value_or("");
  std::uint32_t bits = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits);
  return error == std::errc() && end == text.data() + text.size() ? bits : 0;
}

}  // namespace ringway

#include "dataplane/receive_buffers.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include "dataplane/link_message.h"

namespace ringway {
namespace {

/// The kernel's limit on the entries of a provided-buffer ring.
constexpr std::size_t kBuffersMax = 32'768;
constexpr std::size_t kBuffersMin = 8;

std::size_t buffer_count(const ReceiveBuffers::Settings& settings) {
  RW_ASSERT(settings.buffer_size > 0);
  return std::clamp(settings.budget / settings.buffer_size, kBuffersMin, kBuffersMax);
}

std::size_t shift_of(const ReceiveBuffers::Settings& settings) {
  constexpr std::size_t kLine = BufferSlots::kAlignment;
  return (kLine - (settings.room + settings.header_size) % kLine) % kLine;
}

}  // namespace

ReceiveBuffers::ReceiveBuffers(const Settings& settings)
    : group_(settings.group),
      buffer_size_(settings.buffer_size),
      room_(settings.room),
      shift_(shift_of(settings)),
      slots_(buffer_count(settings), settings.buffer_size + shift_),
      hot_(slots_.count()) {
  RW_ASSERT(room_ < buffer_size_);
  reserve_.reserve(slots_.count());
}

ReceiveBuffers::~ReceiveBuffers() {
  if (shared_ == nullptr) return;
  io_uring_unregister_buf_ring(&ring_->ring_, group_);
  ::munmap(shared_, shared_size_);
}

Result<void> ReceiveBuffers::open(Ring& ring) {
  RW_ASSERT(shared_ == nullptr);
  const auto entries = static_cast<unsigned>(std::bit_ceil(count()));
  const std::size_t size = entries * sizeof(io_uring_buf);
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return std::unexpected(explain_ring_failure(errno));

  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uintptr_t>(memory);
  registration.ring_entries = entries;
  registration.bgid = group_;
  const int result = io_uring_register_buf_ring(&ring.ring_, &registration, 0);
  if (result < 0) {
    ::munmap(memory, size);
    return std::unexpected(explain_ring_failure(-result));
  }
  ring_ = &ring;
  shared_ = static_cast<io_uring_buf_ring*>(memory);
  shared_size_ = size;
  mask_ = entries - 1;
  io_uring_buf_ring_init(shared_);
  for (std::size_t id = count(); id > 0; --id) {
    reserve_.push_back(static_cast<std::uint16_t>(id - 1));
  }
  publish();
  return {};
}

MutableBytes ReceiveBuffers::take(std::uint16_t id, std::size_t size) {
  slots_.pass(id, BufferOwner::Kernel, BufferOwner::User);
  --available_;
  hot_.note_filled(size);
  return bytes(id).first(std::min(room_ + size, buffer_size_));
}

void ReceiveBuffers::give_back(std::uint16_t id) {
  slots_.pass(id, BufferOwner::User, BufferOwner::Free);
  reserve_.push_back(id);
}

void ReceiveBuffers::provide(std::uint16_t id, std::size_t offset) {
  slots_.pass(id, BufferOwner::Free, BufferOwner::Kernel);
  const MutableBytes buffer = bytes(id).subspan(room_);
  io_uring_buf_ring_add(shared_, buffer.data(), static_cast<unsigned>(buffer.size()), id,
                        static_cast<int>(mask_), static_cast<int>(offset));
}

void ReceiveBuffers::publish(std::size_t wanted) {
  const std::size_t target = std::max(hot_.target(), wanted);
  std::size_t provided = 0;
  for (; available_ + provided < target && !reserve_.empty(); ++provided) {
    provide(reserve_.back(), provided);
    reserve_.pop_back();
  }
  if (provided == 0) return;
  io_uring_buf_ring_advance(shared_, static_cast<int>(provided));
  available_ += provided;
}

std::optional<ReceivedMessage> parse_received_message(MutableBytes filled) {
  static_assert(kReceiveHeadroom ==
                sizeof(io_uring_recvmsg_out) + kSocketNameSize + kSocketControlSize);
  if (filled.size() < kReceiveHeadroom) return std::nullopt;
  io_uring_recvmsg_out sizes{};
  std::memcpy(&sizes, filled.data(), sizeof sizes);
  const MutableBytes payload = filled.subspan(kReceiveHeadroom);
  const bool truncated = (sizes.flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
  if (sizes.namelen > kSocketNameSize || sizes.controllen > kSocketControlSize) return std::nullopt;
  if (!truncated && sizes.payloadlen != payload.size()) return std::nullopt;
  return ReceivedMessage{
      .name = filled.subspan(sizeof sizes, sizes.namelen),
      .control = filled.subspan(sizeof sizes + kSocketNameSize, sizes.controllen),
      .payload = payload,
      .truncated = truncated};
}

}  // namespace ringway

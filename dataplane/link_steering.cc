#include "dataplane/link_steering.h"

#include <linux/filter.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <iterator>

#include "base/opcode.h"

namespace ringway {

Result<void> attach_link_steering(int fd, std::uint16_t worker_count) {
  constexpr std::uint32_t kOpcodeMask = 0xf8;
  constexpr std::uint32_t kDataV2 = first_byte(Opcode::DataV2, {0});
  constexpr std::uint32_t kHeaderSize = 4;
  constexpr std::uint32_t kPeerIdMask = 0x00ff'ffff;
  // No socket has this number, which makes the kernel use its hash of the addresses.
  constexpr std::uint32_t kNoSocket = 0xffff'ffff;

  // The program sees the UDP payload at offset 0. A load past the end would return 0, which is a
  // socket, so the length is checked first.
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, kHeaderSize, 0, 7),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, kOpcodeMask),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kDataV2, 0, 4),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, kPeerIdMask),
      BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, worker_count),
      BPF_STMT(BPF_RET | BPF_A, 0),
      BPF_STMT(BPF_RET | BPF_K, kNoSocket),
  };
  const sock_fprog steering{.len = std::size(program), .filter = program};
  if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &steering, sizeof steering) == 0) {
    return {};
  }
  return fail(std::string("cannot attach the steering program to the link sockets: ") +
              std::strerror(errno));
}

}  // namespace ringway

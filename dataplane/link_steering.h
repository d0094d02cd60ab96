#pragma once

#include <cstdint>

#include "base/error.h"

namespace ringway {

/// Makes the kernel deliver each data packet to the socket of the worker that owns its session,
/// whatever address it comes from, so that a client that floats stays with its owner.
///
/// `fd` is any socket of a SO_REUSEPORT group of `worker_count` sockets that were bound in the
/// order of their WorkerIds: the kernel numbers them so. Everything that carries no peer id is
/// spread by the kernel's own hash. The error is no reason to stop: without steering, the lanes
/// between the workers do the same at a higher price.
Result<void> attach_link_steering(int fd, std::uint16_t worker_count);

}  // namespace ringway

#!/usr/bin/python3
"""Runs a command that may not use io_uring, as in most containers.

    without_io_uring.py COMMAND [ARGUMENT...]

A seccomp filter answers io_uring_setup with EPERM, which is what Docker's default profile does. The
sysctl kernel.io_uring_disabled would hit the whole machine.
"""

import ctypes
import errno
import os
import struct
import sys

PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
# The same number on every architecture.
IO_URING_SETUP = 425
LOAD_WORD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
RETURN_ERRNO, RETURN_ALLOW = 0x00050000, 0x7FFF0000

PROGRAM = b"".join(
    struct.pack("HBBI", *instruction)
    for instruction in (
        (LOAD_WORD, 0, 0, 0),  # seccomp_data.nr
        (JUMP_IF_EQUAL, 0, 1, IO_URING_SETUP),
        (RETURN, 0, 0, RETURN_ERRNO | errno.EPERM),
        (RETURN, 0, 0, RETURN_ALLOW),
    )
)


class SockFprog(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def main():
    program = ctypes.create_string_buffer(PROGRAM, len(PROGRAM))
    fprog = SockFprog(len(PROGRAM) // 8, ctypes.cast(program, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)
    # Root may install a filter without no_new_privs, which would change what the server sees.
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(fprog), 0, 0) != 0:
        sys.exit(f"seccomp: {os.strerror(ctypes.get_errno())}")
    os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()

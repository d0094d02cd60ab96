#!/usr/bin/python3
"""Stops one thread of a process, for a while, and no other.

    stall_thread.py PID THREAD_NAME SECONDS

A signal would stop all of them; a debugger can stop one. Prints "stalled", and "released" at the
end.
"""

import ctypes
import os
import pathlib
import sys
import time

PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17
WALL = 0x40000000

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def ptrace(request, thread):
    if libc.ptrace(request, thread, None, None) != 0:
        error = ctypes.get_errno()
        sys.exit(f"cannot stop the thread: {os.strerror(error)}")


def main():
    process, name, seconds = sys.argv[1:]
    for task in pathlib.Path(f"/proc/{process}/task").iterdir():
        if (task / "comm").read_text().strip() == name:
            thread = int(task.name)
            break
    else:
        sys.exit(f"no thread is called {name}")
    ptrace(PTRACE_SEIZE, thread)
    ptrace(PTRACE_INTERRUPT, thread)
    os.waitpid(thread, WALL)
    print("stalled", flush=True)
    time.sleep(float(seconds))
    if not pathlib.Path(f"/proc/{process}/task/{thread}").exists():
        return
    libc.ptrace(PTRACE_DETACH, thread, None, None)
    print("released", flush=True)


if __name__ == "__main__":
    main()

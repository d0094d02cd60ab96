#!/usr/bin/python3
"""One TCP transfer that takes next to no CPU at its ends, for where a tunnel's throughput is
measured on the cores that the tunnel has, too. Whether bytes arrive as they were sent is for
transfer.py to say.

    pour.py drain ADDRESS PORT
    pour.py pour ADDRESS PORT BYTES [BYTES_PER_SECOND]

`drain` prints "listening", takes one connection, and answers with one byte when all has come.
`pour` sends BYTES, and prints how many milliseconds it took until the answer.
"""

import socket
import sys
import time

BLOCK = 256 * 1024
STALL_SECONDS = 20


def drain(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, port), family=family) as listener:
        listener.settimeout(STALL_SECONDS)
        print("listening", flush=True)
        connection, _ = listener.accept()
    connection.settimeout(STALL_SECONDS)
    block = bytearray(BLOCK)
    while connection.recv_into(block):
        pass
    connection.sendall(b".")


def pour(address, port, byte_count, rate=None):
    connection = socket.create_connection((address, port), timeout=STALL_SECONDS)
    size = BLOCK if rate is None else 16 * 1024
    block, count, begun = bytes(size), 0, time.monotonic()
    while count < byte_count:
        connection.sendall(block)
        count += size
        if rate:
            time.sleep(max(0.0, begun + count / rate - time.monotonic()))
    connection.shutdown(socket.SHUT_WR)
    if connection.recv(1) != b".":
        sys.exit("the other end did not answer")
    print(round((time.monotonic() - begun) * 1000))


if __name__ == "__main__":
    {"drain": drain, "pour": pour}[sys.argv[1]](sys.argv[2], *(int(word) for word in sys.argv[3:]))

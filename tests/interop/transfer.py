#!/usr/bin/python3
"""One TCP transfer whose two ends compare what was sent with what arrived.

    transfer.py receive ADDRESS PORT
    transfer.py send ADDRESS PORT BYTES [UNTIL_FILE [BYTES_PER_SECOND]]

`receive` prints "listening", takes one connection, and answers with the SHA-256 of what it got.
`send` sends BYTES pseudo-random bytes; given UNTIL_FILE it goes on until that file exists, so that
a test can hold a connection open across an event. Both exit non-zero unless the hashes agree and no
byte waited longer than STALL_SECONDS. `receive` also says how long its longest wait for a byte was.
"""

import hashlib
import os
import random
import socket
import sys
import time

BLOCK = 64 * 1024
STALL_SECONDS = 20


def receive(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, port))
    listener.listen(1)
    listener.settimeout(STALL_SECONDS)
    print("listening", flush=True)
    connection, _ = listener.accept()
    connection.settimeout(STALL_SECONDS)
    digest, count = hashlib.sha256(), 0
    heard, longest = time.monotonic(), 0.0
    while block := connection.recv(BLOCK):
        digest.update(block)
        count += len(block)
        longest, heard = max(longest, time.monotonic() - heard), time.monotonic()
    connection.sendall(digest.digest())
    print(f"received {count} bytes, longest wait {longest:.1f} s, sha256 {digest.hexdigest()}")
    return 0


def send(address, port, byte_count, until_file=None, rate=None):
    connection = socket.create_connection((address, port), timeout=STALL_SECONDS)
    # Different bytes in every block; repeating ones would hide a block that came twice.
    source = random.Random(port)
    digest, count, begun = hashlib.sha256(), 0, time.monotonic()
    while count < byte_count or (until_file and not os.path.exists(until_file)):
        block = source.randbytes(BLOCK)
        connection.sendall(block)
        digest.update(block)
        count += len(block)
        if rate:
            time.sleep(max(0.0, begun + count / rate - time.monotonic()))
    connection.shutdown(socket.SHUT_WR)
    answer = b""
    while len(answer) < digest.digest_size and (block := connection.recv(64)):
        answer += block
    seconds = time.monotonic() - begun
    print(f"sent {count} bytes in {seconds:.1f} s, sha256 {digest.hexdigest()}")
    if answer != digest.digest():
        print(f"the receiver's sha256 is {answer.hex() or 'missing'}")
        return 1
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "receive":
        sys.exit(receive(sys.argv[2], int(sys.argv[3])))
    sys.exit(send(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), *sys.argv[5:6],
                  *(int(rate) for rate in sys.argv[6:7])))

#!/usr/bin/python3
"""TCP connections of somebody who is no client.

    hostile_streams.py hold ADDRESS PORT COUNT [once]
    hostile_streams.py junk ADDRESS PORT COUNT SEED

`hold` opens COUNT connections and keeps them open: a third say nothing, a third send a byte of a
frame now and then, a third begin a handshake and go no further. Those that the server closes are
opened again, but with `once`. It prints "holding" when all are open, and runs until it is ended.

`junk` opens COUNT connections one after the other, each with something else that no client sends,
and wants to see each of them closed. It prints what was not.
"""

import random
import select
import socket
import struct
import sys
import time

# How long a server may take to close a connection that has brought junk.
PATIENCE = 20


def connect(address, port):
    return socket.create_connection((address, port), timeout=PATIENCE)


def reset(source):
    """A client's first packet: opcode 7, session id, no acknowledgements, message 0."""
    packet = bytes((7 << 3,)) + source.randbytes(8) + bytes(5)
    return struct.pack("!H", len(packet)) + packet


def hold(address, port, count, once):
    source = random.Random(1)
    connections = {}

    def begin(kind):
        try:
            connection = connect(address, port)
        except OSError:
            return
        connection.setblocking(False)
        connections[connection] = kind
        if kind == 2:
            connection.send(reset(source))

    for number in range(count):
        begin(number % 3)
    print("holding", flush=True)
    while True:
        deadline = time.monotonic() + 0.5
        while (left := deadline - time.monotonic()) > 0:
            readable, _, _ = select.select(list(connections)[:1000], [], [], left)
            for connection in readable:
                try:
                    ended = not connection.recv(4096)
                except BlockingIOError:
                    ended = False
                except OSError:
                    ended = True
                if ended:
                    kind = connections.pop(connection)
                    connection.close()
                    if not once:
                        begin(kind)
        for connection, kind in list(connections.items()):
            if kind == 1:
                try:
                    connection.send(b"\x04")
                except OSError:
                    pass


def junk_of(source, kind):
    if kind == 0:  # A length of zero.
        return bytes(2) + source.randbytes(20)
    if kind == 1:  # One that is too large.
        return struct.pack("!H", source.randint(3000, 65535)) + source.randbytes(20)
    if kind == 2:  # Another protocol.
        return b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    if kind == 3:  # Another opcode.
        opcode = source.choice((0, 1, 2, 4, 5, 6, 8, 9, 31))
        return struct.pack("!H", 60) + bytes((opcode << 3,)) + source.randbytes(59)
    if kind == 4:  # A reset of any bytes.
        return struct.pack("!H", 54) + bytes((7 << 3,)) + source.randbytes(53)
    if kind == 5:  # A good beginning, and then a bad length.
        return reset(source) + struct.pack("!H", 0)
    return reset(source) + struct.pack("!H", 50) + bytes((9 << 3,)) + source.randbytes(49) + \
        bytes(2)


def junk(address, port, count, seed):
    source = random.Random(seed)
    kept = 0
    for number in range(count):
        kind = number % 7
        connection = connect(address, port)
        try:
            bytes_out = junk_of(source, kind)
            cut = source.randint(0, len(bytes_out))
            connection.sendall(bytes_out[:cut])
            connection.sendall(bytes_out[cut:])
            while connection.recv(4096):
                pass
        except TimeoutError:
            kept += 1
            print(f"kind {kind} was not closed")
        except OSError:
            pass
        connection.close()
    print(f"{count} connections, {kept} not closed")
    return 1 if kept else 0


if __name__ == "__main__":
    what, where = sys.argv[1], sys.argv[2]
    port_number, how_many = int(sys.argv[3]), int(sys.argv[4])
    if what == "hold":
        hold(where, port_number, how_many, sys.argv[5:] == ["once"])
    else:
        sys.exit(junk(where, port_number, how_many, int(sys.argv[5])))

#!/usr/bin/python3
"""One TCP connection on which little is said and long pauses are made.

    idle_tcp.py serve ADDRESS PORT
    idle_tcp.py talk ADDRESS PORT PAUSE ROUNDS

`serve` prints "listening", takes one connection and repeats every line, as late as the line asks.
`talk` says a line a round: in turn one that is answered at once after PAUSE seconds of silence, and
one that is answered PAUSE seconds later. It prints how long each answer took beyond that, and fails
if one does not come within a minute or the connection breaks.
"""

import socket
import sys
import time

PATIENCE = 60


def serve(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, port))
    listener.listen(1)
    print("listening", flush=True)
    connection, _ = listener.accept()
    with connection.makefile("rb") as lines:
        for line in lines:
            time.sleep(float(line.split()[0]))
            connection.sendall(line)
    return 0


def talk(address, port, pause, rounds):
    connection = socket.create_connection((address, port), timeout=PATIENCE)
    with connection.makefile("rb") as lines:
        for number in range(rounds):
            late = number % 2 == 1
            if not late:
                time.sleep(pause)
            line = f"{pause if late else 0} round {number}\n".encode()
            begun = time.monotonic()
            connection.sendall(line)
            if lines.readline() != line:
                print(f"round {number}: another answer")
                return 1
            took = time.monotonic() - begun - (pause if late else 0)
            who = "server speaks first" if late else "client speaks first"
            print(f"round {number}, {who} after {pause} s: {took:.2f} s", flush=True)
    return 0


def main():
    if sys.argv[1] == "serve":
        return serve(sys.argv[2], int(sys.argv[3]))
    return talk(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]))


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3
"""A NAT between one OpenVPN client and its server, which does what it is told.

    relay.py LISTEN_PORT SERVER_V4 SERVER_V6 SERVER_PORT COMMAND_FIFO [FORGET_SECONDS]

The client speaks to 127.0.0.1:LISTEN_PORT; the server sees a socket of the relay. With
FORGET_SECONDS that socket is replaced by one on another port when nothing has gone through it for
so long, and only a datagram of the client makes the next, as with a carrier's NAT. Commands are
lines in the FIFO; each is answered with a line on standard output:

    move v4|v6       the server sees another port (and family) from now on; what it still sends to
                     the old one is counted as "late" and goes nowhere, as behind a NAT
    every SECONDS N  N moves within the family, one every so many seconds
    forge N          N datagrams in the client's name from elsewhere, alternately of both families:
                     one half with a random tag, one half replays of what the client has sent
    reset N          N handshakes begun by nobody at the client's own endpoint, over a second
    connect          the client's data packets go over a TCP connection to the server, which has
                     begun with a reset, until `disconnect`
    quit

Datagrams of the client are never lost here. Each answer names what has happened so far: moves, up
and down (datagrams forwarded), late, answered (control packets that `forge` or `reset` brought
about), over_tcp.
"""

import os
import random
import select
import socket
import sys
import time

HARD_RESET_CLIENT_V2, HARD_RESET_SERVER_V2, DATA_V2 = 7, 8, 9
HISTORY = 4000


class Relay:
    def __init__(self, listen_port, servers, fifo, forget):
        self.servers = servers
        self.forget = forget
        self.inside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.inside.bind(("127.0.0.1", listen_port))
        self.client = None
        self.outside = None
        self.last_used = 0.0
        self.old = []
        self.connection = None
        self.counts = {"moves": 0, "up": 0, "down": 0, "late": 0, "answered": 0,
                       "over_tcp": 0}
        self.history = []
        self.every = None
        # Opened for writing, too, so that it never ends.
        self.fifo = os.fdopen(os.open(fifo, os.O_RDWR | os.O_NONBLOCK), "rb", buffering=0)
        self.family = "v4"

    def open_outside(self, family):
        kind = socket.AF_INET if family == "v4" else socket.AF_INET6
        new = socket.socket(kind, socket.SOCK_DGRAM)
        new.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        new.connect(self.servers[family])
        return new

    def move(self, family):
        if self.outside is not None:
            self.old.append(self.outside)
            self.counts["moves"] += 1
        self.outside = self.open_outside(family)
        self.family = family
        self.last_used = time.monotonic()

    def say(self, what):
        counts = " ".join(f"{name} {count}" for name, count in self.counts.items())
        print(f"{what}: {counts}", flush=True)

    def run(self):
        print("relaying", flush=True)
        while True:
            self.move_in_time()
            sockets = [self.inside, self.fifo, *self.old]
            if self.outside is not None:
                sockets.append(self.outside)
            timeout = 1.0 if self.every is None else max(0.0, self.every[0] - time.monotonic())
            for ready in select.select(sockets, [], [], timeout)[0]:
                if ready is self.fifo:
                    for line in self.fifo.read(4096).decode().splitlines():
                        if line == "quit":
                            return
                        self.obey(line.split())
                elif ready is self.inside:
                    self.forward_up()
                elif ready is self.outside:
                    self.forward_down()
                else:
                    self.count_late(ready)

    def is_forgotten(self):
        return self.forget is not None and time.monotonic() - self.last_used > self.forget

    def forward_up(self):
        datagram, self.client = self.inside.recvfrom(65536)
        if self.outside is None or self.is_forgotten():
            self.move(self.family)
        self.last_used = time.monotonic()
        self.counts["up"] += 1
        if datagram and datagram[0] >> 3 == DATA_V2:
            self.history.append((self.last_used, datagram))
            del self.history[:-HISTORY]
        try:
            if self.connection is not None and datagram[0] >> 3 == DATA_V2:
                self.counts["over_tcp"] += 1
                self.connection.sendall(framed(datagram))
            else:
                self.outside.send(datagram)
        except OSError:
            pass

    def forward_down(self):
        try:
            datagram = self.outside.recv(65536)
        except OSError:
            return
        if self.is_forgotten():
            self.counts["late"] += 1
            return
        self.last_used = time.monotonic()
        self.counts["down"] += 1
        if datagram and datagram[0] >> 3 == HARD_RESET_SERVER_V2:
            self.counts["answered"] += 1
        self.inside.sendto(datagram, self.client)

    def count_late(self, old):
        try:
            old.recv(65536)
        except OSError:
            return
        self.counts["late"] += 1

    def move_in_time(self):
        if self.every is None or time.monotonic() < self.every[0]:
            return
        due, interval, left = self.every
        self.move(self.family)
        self.every = (due + interval, interval, left - 1) if left > 1 else None
        if self.every is None:
            self.say("moved in time")

    def obey(self, words):
        if words[0] == "move":
            self.move(words[1])
            self.say(f"moved to {words[1]}")
        elif words[0] == "every":
            self.every = (time.monotonic() + float(words[1]), float(words[1]), int(words[2]))
        elif words[0] == "forge":
            self.forge(int(words[1]))
        elif words[0] == "reset":
            self.reset(int(words[1]))
        elif words[0] == "connect":
            self.connection = socket.create_connection(self.servers[self.family])
            self.connection.sendall(framed(reset_of_nobody()))
            self.say("connected")
        elif words[0] == "disconnect":
            self.connection.close()
            self.connection = None
            self.say("disconnected")
        else:
            self.say(f"unknown command {words}")

    def forge(self, count):
        dice = random.Random(count)
        sockets = [self.open_outside(family) for family in ("v4", "v6")]
        # What the server has surely seen.
        seen = [datagram for when, datagram in self.history if when < time.monotonic() - 0.5]
        for number in range(count):
            datagram = bytearray(dice.choice(seen))
            if number % 2 == 0:
                datagram[4:8] = dice.randbytes(4)
                datagram[8:24] = dice.randbytes(16)
            try:
                sockets[number // 2 % 2].send(datagram)
            except OSError:
                pass
            if number % 50 == 49:
                time.sleep(0.005)
        time.sleep(0.2)
        for one in sockets:
            one.setblocking(False)
            try:
                while one.recv(65536):
                    self.counts["answered"] += 1
            except OSError:
                pass
            one.close()
        self.say(f"forged {count}")

    def reset(self, count):
        for number in range(count):
            self.outside.send(reset_of_nobody())
            time.sleep(1.0 / count)
        self.say(f"reset {count}")


def reset_of_nobody():
    return bytes([HARD_RESET_CLIENT_V2 << 3]) + os.urandom(8) + bytes(5)


def framed(datagram):
    return len(datagram).to_bytes(2, "big") + datagram


def main():
    listen_port, server_v4, server_v6, port, fifo = sys.argv[1:6]
    forget = float(sys.argv[6]) if len(sys.argv) > 6 else None
    servers = {"v4": (server_v4, int(port)), "v6": (server_v6, int(port))}
    Relay(int(listen_port), servers, fifo, forget).run()


if __name__ == "__main__":
    main()

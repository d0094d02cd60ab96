#!/usr/bin/python3
"""A bad wire for UDP between one client and a server: it loses, repeats, reorders and damages.

    impaired_relay.py PORT SERVER_ADDRESS SERVER_PORT LOSS SEED

Listens on 127.0.0.1:PORT. LOSS is the share that is lost each way; a tenth is held back by 80 ms
and so overtaken, 2 % come twice, 1 % with a flipped bit, and every datagram takes 20 to 50 ms. The
dice are seeded; what falls on which datagram is still a matter of the ends' timing. Another source
port at the client's side is another client: it gets a socket of its own towards the server.
"""

import heapq
import itertools
import random
import select
import socket
import sys
import time

REORDERED, REPEATED, DAMAGED = 0.10, 0.02, 0.01
LATENCY, HELD_BACK = (0.020, 0.050), 0.080


class Wire:
    """Datagrams on their way, by when they arrive."""

    def __init__(self, loss, seed):
        self.loss, self.dice = loss, random.Random(seed)
        self.in_flight, self.order = [], itertools.count()

    def put(self, datagram, deliver):
        copies = (self.dice.random() >= self.loss) + (self.dice.random() < REPEATED)
        for _ in range(copies):
            at = time.monotonic() + self.dice.uniform(*LATENCY)
            if self.dice.random() < REORDERED:
                at += HELD_BACK
            if self.dice.random() < DAMAGED:
                bit = self.dice.randrange(8 * len(datagram))
                damaged = bytearray(datagram)
                damaged[bit // 8] ^= 1 << bit % 8
                datagram = bytes(damaged)
            heapq.heappush(self.in_flight, (at, next(self.order), datagram, deliver))

    def deliver_due(self):
        """Returns the seconds until the next one."""
        while self.in_flight:
            wait = self.in_flight[0][0] - time.monotonic()
            if wait > 0:
                return wait
            _, _, datagram, deliver = heapq.heappop(self.in_flight)
            try:
                deliver(datagram)
            except OSError:
                pass  # An end that is gone.
        return None


def main():
    port, server, loss, seed = int(sys.argv[1]), sys.argv[2:4], float(sys.argv[4]), sys.argv[5]
    family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
    inside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    inside.bind(("127.0.0.1", port))
    wire, outsides, clients = Wire(loss, seed), {}, {}
    print("relaying", flush=True)
    while True:
        ready, _, _ = select.select([inside, *clients], [], [], wire.deliver_due())
        for end in ready:
            try:
                datagram, source = end.recvfrom(65535)
            except OSError:
                continue
            if not datagram:
                continue
            if end is not inside:
                client = clients[end]
                wire.put(datagram, lambda bytes_, to=client: inside.sendto(bytes_, to))
                continue
            if source not in outsides:
                outside = socket.socket(family, socket.SOCK_DGRAM)
                outside.connect((server[0], int(server[1])))
                outsides[source], clients[outside] = outside, source
            wire.put(datagram, outsides[source].send)


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""Wires that each lose one datagram: which one, says the port.

    dropping_relay.py FIRST_PORT COUNT SERVER_ADDRESS SERVER_PORT

Listens on COUNT ports of 127.0.0.1 from FIRST_PORT on. Of all datagrams that go through the n-th
port, both ways counted together, the n-th is lost, once. One client a port.
"""

import select
import socket
import sys


class Wire:
    def __init__(self, port, lost, server):
        family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
        self.inside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.inside.bind(("127.0.0.1", port))
        self.outside = socket.socket(family, socket.SOCK_DGRAM)
        self.outside.connect(server)
        self.lost, self.count, self.client = lost, 0, None

    def pass_on(self, end):
        datagram, source = end.recvfrom(65535)
        self.count += 1
        if end is self.inside:
            self.client = source
        if self.count == self.lost:
            way = "client>server" if end is self.inside else "server>client"
            print(f"lost {self.count} {way} opcode {datagram[0] >> 3}", flush=True)
        elif end is self.inside:
            self.outside.send(datagram)
        elif self.client is not None:
            self.inside.sendto(datagram, self.client)


def main():
    port, count, server = int(sys.argv[1]), int(sys.argv[2]), (sys.argv[3], int(sys.argv[4]))
    wires = {}
    for number in range(1, count + 1):
        wire = Wire(port + number - 1, number, server)
        wires[wire.inside] = wires[wire.outside] = wire
    print("relaying", flush=True)
    while True:
        for end in select.select(list(wires), [], [])[0]:
            try:
                wires[end].pass_on(end)
            except OSError:
                pass  # An end that is gone.


if __name__ == "__main__":
    main()

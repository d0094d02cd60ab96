#!/usr/bin/python3
"""Sends hostile datagrams at a server and counts what comes back.

    hostile_datagrams.py capture INTERFACE SERVER_PORT FILE SECONDS
    hostile_datagrams.py random  SERVER PORT COUNT SEED
    hostile_datagrams.py mutate  SERVER PORT COUNT SEED FILE
    hostile_datagrams.py spoof   SERVER PORT COUNT SEED FILE INTERFACE

`capture` writes the UDP payloads that the client on that interface sends, one a line, in hex.
`random` sends every opcode at every length. `mutate` sends the captured datagrams whole (replayed),
truncated, and with flipped bits, from an address of its own; `spoof` sends the same from the
client's own address and port. The last line is "sent N, answered M, wrongly W": wrong is an answer
that is not a cookie (HARD_RESET_SERVER_V2) or is more than 12 bytes longer than the request.
"""

import os
import random
import select
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from wire import ETH_P_ALL, parse_udp  # noqa: E402

HARD_RESET_SERVER_V2 = 8
COOKIE_GROWTH_MAX = 12


def capture(interface, server_port, path, seconds):
    watcher = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
    watcher.bind((interface, ETH_P_ALL))
    print("watching", flush=True)
    deadline = time.monotonic() + seconds
    with open(path, "w", encoding="ascii") as out:
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([watcher], [], [], left)[0]:
                break
            packet = watcher.recv(65536)
            parsed = parse_udp(packet)
            if parsed is None or parsed[3] != server_port:
                continue
            header = (packet[0] & 15) * 4 if packet[0] >> 4 == 4 else 40
            length = struct.unpack_from("!H", packet, header + 4)[0]
            print(f"{parsed[0]} {parsed[1]} {packet[header + 8:header + length].hex()}", file=out,
                  flush=True)


def load(path):
    with open(path, encoding="ascii") as lines:
        return [(source, int(port), bytes.fromhex(payload))
                for source, port, payload in (line.split() for line in lines)]


def random_datagrams(count, dice):
    for number in range(count):
        length = dice.choice((number % 1501, number % 64, dice.randrange(1501)))
        body = bytearray(dice.randbytes(length))
        if body:
            body[0] = number % 256  # every opcode and key id
        yield bytes(body)


def mutated_datagrams(captured, count, dice):
    for number in range(count):
        payload = dice.choice(captured)[2]
        kind = number % 4
        if kind == 0:
            yield payload
        elif kind == 1:
            yield payload[:dice.randrange(len(payload) + 1)]
        elif kind == 2:
            changed = bytearray(payload)
            for _ in range(dice.randrange(1, 4)):
                changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
            yield bytes(changed)
        else:
            yield payload + dice.randbytes(dice.randrange(1, 64))


class Exchange:
    """Sends and listens on one connected socket; request sizes bound the answers' sizes."""

    def __init__(self, server, port):
        family = socket.AF_INET6 if ":" in server else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.connect((server, port))
        self.socket.setblocking(False)
        self.sent = self.answered = self.wrong = self.largest = 0

    def send(self, datagram):
        self.largest = max(self.largest, len(datagram))
        try:
            self.socket.send(datagram)
            self.sent += 1
        except BlockingIOError:
            time.sleep(0.001)
        self.collect()

    def collect(self):
        while True:
            try:
                answer = self.socket.recv(65536)
            except BlockingIOError:
                return
            except ConnectionRefusedError:
                sys.exit("the server is not listening any more")
            self.answered += 1
            is_cookie = answer and answer[0] >> 3 == HARD_RESET_SERVER_V2
            if not is_cookie or len(answer) > self.largest + COOKIE_GROWTH_MAX:
                self.wrong += 1
                print(f"wrong answer: {answer[:64].hex()} ({len(answer)} bytes)")

    def report(self):
        deadline = time.monotonic() + 1
        while (left := deadline - time.monotonic()) > 0:
            select.select([self.socket], [], [], left)
            self.collect()
        print(f"sent {self.sent}, answered {self.answered}, wrongly {self.wrong}")


def ipv4_udp(source, source_port, server, port, payload):
    udp = struct.pack("!HHHH", source_port, port, 8 + len(payload), 0) + payload
    # The kernel fills in the header checksum, the id and the length.
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 0, 0, 0, 64, socket.IPPROTO_UDP, 0,
                       socket.inet_aton(source), socket.inet_aton(server)) + udp


def spoof(server, port, datagrams, captured, interface):
    source, source_port, _ = captured[0]
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
    sent = 0
    for datagram in datagrams:
        raw.sendto(ipv4_udp(source, source_port, server, port, datagram), (server, 0))
        sent += 1
        if sent % 32 == 0:
            time.sleep(0.002)
    print(f"sent {sent}, answered 0, wrongly 0")


def main():
    if sys.argv[1] == "capture":
        capture(sys.argv[2], int(sys.argv[3]), sys.argv[4], float(sys.argv[5]))
        return
    kind, server, port, count, seed = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
    dice = random.Random(seed)
    print(f"seed {seed}")
    captured = load(sys.argv[6]) if kind != "random" else []
    datagrams = (mutated_datagrams(captured, count, dice) if captured
                 else random_datagrams(count, dice))
    if kind == "spoof":
        spoof(server, port, datagrams, captured, sys.argv[7])
        return
    exchange = Exchange(server, port)
    for datagram in datagrams:
        exchange.send(datagram)
    exchange.report()


if __name__ == "__main__":
    main()

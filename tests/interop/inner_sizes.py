#!/usr/bin/python3
"""Datagrams that are larger than their way takes.

    inner_sizes.py told SOURCE DESTINATION SIZE
        sends an IP packet of SIZE bytes that must not be fragmented; prints the MTU that it is told
    inner_sizes.py send SOURCE DESTINATION PORT SIZE
        the same where it may be fragmented; prints its hash
    inner_sizes.py receive ADDRESS PORT
        prints "listening", then the hash of what comes
    inner_sizes.py mark SOURCE DESTINATION PORT CLASS
        sends a packet of that traffic class
"""

import hashlib
import random
import select
import socket
import struct
import sys

PATIENCE = 20
# Of <linux/in.h>, <linux/in6.h> and <linux/errqueue.h>.
IP_MTU_DISCOVER, IP_PMTUDISC_PROBE, IP_PMTUDISC_OMIT, IP_RECVERR = 10, 3, 5, 11
IPV6_MTU_DISCOVER, IPV6_RECVERR = 23, 25
MSG_ERRQUEUE = 0x2000
EMSGSIZE = 90


def is_v6(address):
    return ':' in address


def socket_at(address, port, may_fragment=True):
    sock = socket.socket(socket.AF_INET6 if is_v6(address) else socket.AF_INET, socket.SOCK_DGRAM)
    discover = IP_PMTUDISC_OMIT if may_fragment else IP_PMTUDISC_PROBE
    if is_v6(address):
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, discover)
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, discover)
        sock.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
    sock.bind((address, port))
    return sock


def payload_of(packet_size, address):
    return random.randbytes(packet_size - (48 if is_v6(address) else 28))


def told(source, destination, size):
    sock = socket_at(source, 0, may_fragment=False)
    sock.sendto(payload_of(int(size), source), (destination, 5000))
    poll = select.poll()
    poll.register(sock, 0)
    if not poll.poll(PATIENCE * 1000):
        sys.exit('nobody said anything')
    _, control, _, _ = sock.recvmsg(2048, 512, MSG_ERRQUEUE)
    for _, _, body in control:
        number, _, _, _, _, info, _ = struct.unpack('=IBBBBII', body[:16])
        if number != EMSGSIZE:
            sys.exit(f'another error: {number}')
        print(info)


def send(source, destination, port, size):
    payload = payload_of(int(size), source)
    socket_at(source, 0).sendto(payload, (destination, int(port)))
    print(hashlib.sha256(payload).hexdigest())


def receive(address, port):
    sock = socket_at(address, int(port))
    sock.settimeout(PATIENCE)
    print('listening', flush=True)
    print(hashlib.sha256(sock.recv(65536)).hexdigest(), flush=True)


def mark(source, destination, port, traffic_class):
    sock = socket_at(source, 0)
    if is_v6(source):
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, int(traffic_class))
    else:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, int(traffic_class))
    sock.sendto(b'marked', (destination, int(port)))


if __name__ == '__main__':
    {'told': told, 'send': send, 'receive': receive, 'mark': mark}[sys.argv[1]](
        *sys.argv[2:])

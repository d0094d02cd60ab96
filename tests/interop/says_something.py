#!/usr/bin/env python3
"""A program that is no VPN server: answers UDP datagrams with text, and closes TCP connections.

says_something.py ADDRESS PORT
"""

import selectors
import socket
import sys


def main():
    address = (sys.argv[1], int(sys.argv[2]))
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(address)
    tcp = socket.create_server(address)
    selector = selectors.DefaultSelector()
    selector.register(udp, selectors.EVENT_READ)
    selector.register(tcp, selectors.EVENT_READ)
    print("listening", flush=True)
    while True:
        for key, _ in selector.select():
            if key.fileobj is udp:
                _, caller = udp.recvfrom(2048)
                udp.sendto(b"hello", caller)
            else:
                connection, _ = tcp.accept()
                connection.recv(2048)
                connection.close()


main()

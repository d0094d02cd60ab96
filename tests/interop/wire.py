#!/usr/bin/python3
"""Watches OpenVPN datagrams on an interface and says what can be read from outside the encryption.

    wire.py INTERFACE SERVER_PORT [epochs]

The first byte of every datagram is clear, with tls-auth and tls-crypt too: opcode:5 key_id:3. One
line is printed for each event, as it happens:

    DIRECTION SOFT_RESET KEY_ID          a renegotiation begins; each side sends its own
    DIRECTION DATA KEY_ID                data moved to another key
    DIRECTION SERVER_ADDRESS ADDRESS     a new address on the server's side of the exchange
    DIRECTION EPOCH KEY_ID NUMBER        with `epochs`: another epoch under that key; 0 is what the
                                         short format looks like

DIRECTION is client>server or server>client. Runs until it is terminated.
"""

import socket
import struct
import sys

SOFT_RESET, DATA_V1, DATA_V2 = 3, 6, 9
ETH_P_ALL, IPPROTO_UDP = 3, 17


def parse_udp(packet):
    """(source, source port, destination, destination port, head of the payload), or None."""
    version = packet[0] >> 4 if packet else 0
    if version == 4 and len(packet) >= 20:
        header = (packet[0] & 15) * 4
        is_first_fragment = struct.unpack_from("!H", packet, 6)[0] & 0x1FFF == 0
        if packet[9] != IPPROTO_UDP or not is_first_fragment:
            return None
        source = socket.inet_ntop(socket.AF_INET, packet[12:16])
        destination = socket.inet_ntop(socket.AF_INET, packet[16:20])
    elif version == 6 and len(packet) >= 40:
        header = 40
        if packet[6] != IPPROTO_UDP:
            return None
        source = socket.inet_ntop(socket.AF_INET6, packet[8:24])
        destination = socket.inet_ntop(socket.AF_INET6, packet[24:40])
    else:
        return None
    if len(packet) < header + 9:
        return None
    source_port, destination_port = struct.unpack_from("!HH", packet, header)
    return source, source_port, destination, destination_port, packet[header + 8 : header + 16]


def main():
    interface, server_port = sys.argv[1], int(sys.argv[2])
    shows_epochs = "epochs" in sys.argv[3:]
    # SOCK_DGRAM: the packet from its IP header on, whatever the link looks like.
    watcher = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
    watcher.bind((interface, ETH_P_ALL))
    watcher.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    print("watching", flush=True)
    last = {}
    while True:
        parsed = parse_udp(watcher.recv(128))
        if parsed is None:
            continue
        source, source_port, destination, destination_port, head = parsed
        if destination_port == server_port:
            direction, server = "client>server", destination
        elif source_port == server_port:
            direction, server = "server>client", source
        else:
            continue
        opcode, key_id = head[0] >> 3, head[0] & 7
        seen = [("SERVER_ADDRESS", server)]
        if opcode == SOFT_RESET:
            seen.append(("SOFT_RESET", key_id))
        elif opcode in (DATA_V1, DATA_V2):
            seen.append(("DATA", key_id))
        if shows_epochs and opcode == DATA_V2 and len(head) >= 6:
            seen.append(("EPOCH", f"{key_id} {head[4] << 8 | head[5]}"))
        for what, value in seen:
            # A retransmitted reset and the next packet under the same key are nothing new.
            if last.get((direction, what)) != value:
                last[direction, what] = value
                print(direction, what, value, flush=True)


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        print(f"the interface is gone: {error}")

#!/usr/bin/python3
"""Writes the first seeds of every fuzz target's corpus, from the captured packets.

    make_seeds.py

A seed is named after the vector that it comes from, so running this again changes nothing. What
fuzzing finds is added to the same folders, named by its hash. Targets that read a few choices
(which cipher, which flip) before the packet get each seed with several such beginnings.
"""

import json
import pathlib
import struct

import host_seeds
import text_seeds

HERE = pathlib.Path(__file__).resolve().parent
VECTORS = HERE.parent / "vectors" / "vectors.json"

CONTROL = ("plain-handshake", "tls-auth", "tls-crypt-c2s", "tls-crypt-s2c", "dyn-tls-crypt")
DATA = ("data-v2", "occ-exit", "unit-test-aead")
EPOCHS = ("data-epoch",)


def as_bytes(text):
    """Most fields are hex; a few plain texts are given as they are."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return text.encode()


def packets(vectors, families, field="packet"):
    for vector in vectors:
        if vector["id"].startswith(families) and isinstance(vector.get(field), str):
            yield vector["id"], as_bytes(vector[field])


def texts(vectors, fields):
    """The control messages of the captured sessions, whatever shape their list has."""
    for vector in vectors:
        for field in fields:
            value = vector.get(field, [])
            for number, item in enumerate(value if isinstance(value, list) else [value]):
                if isinstance(item, str):
                    yield f"{vector['id']}-{field}-{number}", as_bytes(item)


def with_choices(seeds, beginnings):
    for name, seed in seeds:
        for number, beginning in enumerate(beginnings):
            yield f"{name}-{number}", beginning + seed


def ipv4(protocol, payload, flags=0x4000):
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 1, flags, 64, protocol, 0,
                       bytes((10, 8, 0, 2)), bytes((10, 8, 0, 1))) + payload


def ipv6(next_header, payload):
    source = bytes.fromhex("fd000008000000000000000000001000")
    destination = bytes.fromhex("fd000008000000000000000000000001")
    return struct.pack("!IHBB", 0x60000000, len(payload), next_header, 64) + source + \
        destination + payload


def tcp(flags, options=b"", payload=b""):
    return struct.pack("!HHIIBBHHH", 40000, 5001, 1, 1, (20 + len(options)) // 4 << 4, flags, 65535,
                       0, 0) + options + payload


def inner_packets():
    mss = bytes((2, 4, 0x05, 0xB4))
    data = bytes(range(256)) * 5
    udp = struct.pack("!HHHH", 40000, 53, 8 + 32, 0) + bytes(32)
    yield "v4-syn", ipv4(6, tcp(0x02, mss))
    yield "v6-syn", ipv6(6, tcp(0x02, mss))
    yield "v4-data", ipv4(6, tcp(0x18, payload=data))
    yield "v6-data", ipv6(6, tcp(0x18, payload=data))
    yield "v4-udp", ipv4(17, udp)
    yield "v6-udp", ipv6(17, udp)
    yield "v4-fragment", ipv4(17, udp, flags=0x2000)
    yield "v6-extensions", ipv6(0, bytes((43, 0)) + bytes(6) + bytes((44, 0)) + bytes(6) +
                                bytes((17, 0)) + bytes(6) + udp)


def vnet_header(gso_type, header_length, gso_size, checksum_start):
    """virtio_net_hdr: flags, gso_type, hdr_len, gso_size, csum_start, csum_offset."""
    return struct.pack("<BBHHHH", 1 if gso_type else 0, gso_type, header_length, gso_size,
                       checksum_start, 16)


def super_packets():
    data = bytes(range(256)) * 20
    yield "v4-tso", vnet_header(1, 40, 1360, 20) + ipv4(6, tcp(0x18, payload=data))
    yield "v6-tso", vnet_header(4, 60, 1340, 40) + ipv6(6, tcp(0x18, payload=data))
    yield "v4-uso", vnet_header(5, 28, 1200, 20) + ipv4(17, struct.pack(
        "!HHHH", 1, 2, 8 + len(data), 0) + data)
    for name, packet in inner_packets():
        yield f"plain-{name}", vnet_header(0, 0, 0, 0) + packet


def epoch_scripts(epochs):
    """As fuzz_datapath reads them: options, then steps, each with the length of its text."""
    def step(what, text=b""):
        return struct.pack("!BH", what, len(text)) + text

    for name, packet in epochs:
        arrives = step(0, packet)
        yield f"{name}-arrives", bytes((2,)) + arrives + step(7, bytes((1,))) + arrives
    both_ways = [step(3, packet) + step(5, packet) for _, packet in inner_packets()]
    yield "epochs-both-ways", bytes((3,)) + b"".join(both_ways)
    yield "epochs-renewed", bytes((2,)) + step(7, bytes((2,))) + both_ways[0] + \
        step(6 | 1 << 3) + both_ways[0] + step(7, bytes((11,))) + both_ways[0] + \
        step(7, bytes((61,))) + both_ways[0]


def downlink_choices(bits, added_size=0, segments_max=63, event_at=0xFFFF):
    """As fuzz_downlink_frame reads them: bits are repair 1, checksum 2, move 4, lose the session 8,
    renew the key 16."""
    return struct.pack("!BHBH", bits, added_size, segments_max, event_at)


def downlink_frames():
    for name, frame in super_packets():
        yield f"{name}-as-it-is", downlink_choices(0) + frame
        yield f"{name}-repaired", downlink_choices(3) + frame
    for name, frame in super_packets():
        if name.startswith("plain"):
            continue
        yield f"{name}-full", downlink_choices(3, 0xFFFF, 127) + frame
        yield f"{name}-copied", downlink_choices(3 | 4, 20000, 7) + frame
        yield f"{name}-loses-its-session", downlink_choices(3 | 8, 30000, 63, 5) + frame
        yield f"{name}-renews-its-key", downlink_choices(3 | 16, 30000, 63, 5) + frame
    # More extension headers than the segmenter keeps aside: cut by copying.
    options = b"".join(bytes((60, 1)) + bytes(14) for _ in range(5)) + bytes((17, 1)) + bytes(14)
    udp = struct.pack("!HHHH", 1, 2, 8 + 3000, 0) + bytes(3000)
    yield "v6-uso-long-headers", downlink_choices(3) + vnet_header(5, 144, 900, 136) + \
        ipv6(60, options + udp)


def misfits():
    """As fuzz_fitted_packets reads them: a limit, then what the TUN gave; with Don't Fragment and
    without."""
    for name, frame in super_packets():
        may_cut = bytearray(frame)
        if len(frame) > 17 and frame[10] >> 4 == 4:
            may_cut[16] &= 0xBF
        for limit in (68, 600, 1280):
            yield f"{name}-{limit}", struct.pack("!H", limit) + frame
            yield f"{name}-{limit}-may-cut", struct.pack("!H", limit) + bytes(may_cut)
    # Options, of which some go into every fragment.
    header = struct.pack("!BBHHHBBH4s4s", 0x48, 0, 32 + 900, 1, 0, 64, 17, 0, bytes((10, 8, 0, 2)),
                         bytes((10, 8, 0, 1))) + bytes((148, 4, 0, 0, 7, 4, 0, 0, 130, 3, 1, 0))
    yield "v4-options", struct.pack("!H", 300) + vnet_header(0, 0, 0, 0) + header + bytes(900)


def control_message(level, kind, body):
    """A cmsghdr of a 64-bit machine, padded."""
    return struct.pack("<QII", 16 + len(body), level, kind) + body + bytes(-len(body) % 8)


def link_messages():
    """Buffers of a multishot recvmsg: its header, a sockaddr in 32 bytes, control messages in 96,
    and a payload of 100 bytes; see parse_received_message()."""
    v6 = struct.pack("<H", 10) + struct.pack("!HI", 40000, 0) + \
        bytes.fromhex("20010db8000000000000000000000007") + struct.pack("<I", 0)
    mapped = v6[:8] + bytes(10) + bytes.fromhex("ffffc0000207") + v6[24:]
    v4 = struct.pack("<H", 2) + struct.pack("!H4s", 40000, bytes((192, 0, 2, 7))) + bytes(8)
    to_v6 = control_message(41, 50, bytes.fromhex("20010db8000000000000000000000001") + bytes(4))
    to_mapped = control_message(41, 50, bytes(10) + bytes.fromhex("ffffc0000201") + bytes(4))
    to_v4 = control_message(0, 8, bytes(4) + bytes((192, 0, 2, 1)) * 2)
    to_group = control_message(41, 50, bytes.fromhex("ff020000000000000000000000000001") + bytes(4))
    train = control_message(17, 104, struct.pack("<i", 1224))
    ecn_v6 = control_message(41, 67, struct.pack("<i", 3))
    ecn_v4 = control_message(0, 1, bytes((2,)))

    def message(choices, name, control, added_size=0, flags=0):
        sizes = struct.pack("<IIII", len(name), len(control), 100 + added_size, flags)
        return struct.pack("!BH", choices, added_size) + sizes + name.ljust(32, b"\0") + \
            control.ljust(96, b"\0") + bytes(100)

    yield "v6-one", message(1, v6, to_v6)
    yield "v6-train", message(1, v6, to_v6 + train + ecn_v6, 61000)
    yield "mapped-train", message(1, mapped, to_mapped + train, 30000)
    yield "v4-train", message(0, v4, to_v4 + train + ecn_v4, 30000)
    yield "v6-to-a-group", message(1, v6, to_group)
    yield "v6-truncated", message(1, v6, to_v6, 0, 0x20)
    yield "v6-nowhere", message(1, v6, train)
    yield "v6-segments-of-one", message(1, v6, to_v6 + control_message(17, 104, b"\1\0\0\0"))
    yield "v6-negative-segments", message(1, v6, to_v6 + control_message(17, 104, b"\xff" * 4))


def streams():
    """What one TCP connection brings, in chunks of up to 255 bytes with their length in front."""
    def frame(size):
        return struct.pack("!H", size) + bytes(i % 256 for i in range(size))

    def chunks(stream, size):
        cut = [stream[i:i + size] for i in range(0, len(stream), size)]
        return b"".join(bytes((len(chunk),)) + chunk for chunk in cut)

    frames = frame(1) + frame(100) + frame(40) + frame(99)
    yield "whole", chunks(frames, 255)
    yield "byte-by-byte", chunks(frames, 1)
    yield "split-lengths", chunks(frames, 3)
    yield "too-long", chunks(frame(40) + frame(101), 50)
    yield "empty", chunks(frame(40) + bytes(2) + frame(3), 50)


def wrapped_keys():
    """As fuzz_wrapped_key reads them: bits (cookie forced 1, age limited 2, announced 4, third
    packet 8, own cookie 16), damage and its place, metadata with its length, a payload."""
    made_at = b"\1" + struct.pack("!Q", 1795458636 - 3600)
    for bits in (0, 1, 2, 4, 12, 28, 30):
        yield f"bits-{bits}", struct.pack("!BBHH", bits, 0, 0, 9) + made_at + bytes(40)
    for damage in (1, 2, 3):
        yield f"damage-{damage}", struct.pack("!BBHH", 28, damage, 300, 4) + b"\0abc" + bytes(40)
    yield "long", struct.pack("!BBHH", 28, 0, 0, 734) + bytes(734) + bytes(900)


def encoded(texts_by_name):
    return [(name, text.encode("latin-1")) for name, text in texts_by_name.items()]


def corpora(vectors):
    control = list(packets(vectors, CONTROL))
    data = list(packets(vectors, DATA))
    choices = [bytes(7), bytes((4, 0, 0, 0, 1, 0x6B, 4, 0x85, 0x5E, 0, 9))]
    epochs = list(packets(vectors, EPOCHS))
    # They arrive; or each is the payload of a packet of an epoch to come, changed at a byte.
    epoch_choices = [bytes((0x8D,)), bytes((0x0D, 0, 14, 1)), bytes((0x1C, 2, 5, 0x80)),
                     bytes((0x2E, 3, 40, 0))]
    sequences = [("handshake", b"".join(struct.pack("!H", len(p)) + p for _, p in control))]
    return {
        "fuzz_coalescer": list(inner_packets()) + sequences,
        "fuzz_config": encoded(text_seeds.CONFIG),
        "fuzz_control_channel": control + sequences,
        "fuzz_control_packet": control,
        "fuzz_data_packet": data + list(with_choices(data, choices)) +
        list(with_choices(epochs, epoch_choices)),
        "fuzz_datapath": data + list(inner_packets()) + list(epoch_scripts(epochs)),
        "fuzz_downlink_frame": list(downlink_frames()),
        "fuzz_fitted_packets": list(misfits()),
        "fuzz_handshake_gate": control + list(with_choices(control, choices)),
        "fuzz_check": encoded(text_seeds.CHECK),
        "fuzz_ip_packet": list(inner_packets()) + list(packets(vectors, DATA, "plaintext")),
        "fuzz_key_exchange": list(texts(vectors, ("client_message", "server_message"))),
        "fuzz_link_message": list(link_messages()),
        "fuzz_login": list(host_seeds.logins()),
        "fuzz_netlink": list(host_seeds.netlink_messages()),
        "fuzz_nft_ruleset": encoded(text_seeds.NFT_RULESET),
        "fuzz_options_string": encoded(text_seeds.OPTIONS_STRING),
        "fuzz_peer_info": encoded(text_seeds.PEER_INFO),
        "fuzz_pki_index": encoded(text_seeds.PKI_INDEX),
        "fuzz_profile": encoded(text_seeds.PROFILE),
        "fuzz_program_desk": list(host_seeds.desk_scripts()),
        "fuzz_program_wire": list(host_seeds.helper_messages()),
        "fuzz_pushed_network": encoded(text_seeds.PUSHED_NETWORK),
        "fuzz_push": encoded(text_seeds.PUSH) + list(
            texts(vectors, ("later_client_plaintexts", "later_server_plaintexts"))),
        "fuzz_reliable": control + [("counting", bytes(range(256)))],
        "fuzz_segmenter": list(super_packets()),
        "fuzz_server": list(host_seeds.server_scripts()),
        "fuzz_stream_framing": list(streams()),
        "fuzz_tls_wrap": list(with_choices(control, choices)),
        "fuzz_undo_journal": encoded(text_seeds.UNDO_JOURNAL),
        "fuzz_wrapped_key": list(wrapped_keys()),
    }


def main():
    vectors = json.loads(VECTORS.read_text(encoding="ascii"))["vectors"]
    for target, seeds in corpora(vectors).items():
        folder = HERE / "corpus" / target
        folder.mkdir(parents=True, exist_ok=True)
        for name, seed in seeds:
            (folder / name).write_bytes(seed)
        print(f"{target}: {len(seeds)} seeds")


if __name__ == "__main__":
    main()

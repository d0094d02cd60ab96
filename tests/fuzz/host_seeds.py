"""Seeds that are what a host, its kernel and its programs say, and scripts for those who listen;
make_seeds.py writes them."""

import struct


def logins():
    """A byte of settings; then messages, each with a choice and its length in front."""
    def said(choice, text):
        return bytes((choice, len(text))) + text.encode()

    challenge = "CRV1:R,E:c3RhdGU:YWxpY2U=:What is it?"
    yield "challenged", b"\x11" + said(0, challenge) + said(3, "") + said(0, "wrong")
    yield "temporary", b"\x09" + said(0, "TEMP[backoff 42,advance no]:later") + \
        said(0, "TEMP[advance addr]") + said(2, "a token") + said(0, "SESSION:over")
    yield "notices", b"\x25" + said(1, "INFO_PRE,CR_TEXT:R,E:Code?") + \
        said(1, "INFO_PRE,OPEN_URL:https://example.org") + \
        said(1, "INFO_PRE,WEB_AUTH:hidden:https://example.org") + said(2, "RESTART,[N]")


def attribute(kind, body):
    return struct.pack("<HH", 4 + len(body), kind) + body + bytes(-len(body) % 4)


def netlink_message(kind, body):
    return struct.pack("<IHHII", 16 + len(body), kind, 2, 0, 0) + body + bytes(-len(body) % 4)


def netlink_messages():
    """The first byte: links 0, routes 2, news 4; sizes are made right where it is odd."""
    def link(index, name, flags=0x1043, kind=1):
        return netlink_message(16, struct.pack("<BBHiII", 0, 0, kind, index, flags, 0) +
                               attribute(3, name + b"\0"))

    def address(index, family, raw, length, flags=0x80):
        return netlink_message(20, struct.pack("<BBBBI", family, length, flags & 0xFF, 0, index) +
                               attribute(1, raw) + attribute(2, raw) +
                               attribute(8, struct.pack("<I", flags)))

    def route(family, length, attributes, kind=1, protocol=3):
        return netlink_message(24, struct.pack("<BBBBBBBBI", family, length, 0, 0, 254, protocol, 0,
                                               kind, 0) + attributes)

    v4 = bytes((192, 0, 2, 1))
    v6 = bytes.fromhex("20010db8000000000000000000000001")
    gateway = bytes.fromhex("fe800000000000000000000000000001")
    before = link(1, b"lo", 0x49) + link(2, b"eth0") + address(2, 2, v4, 24)
    after = link(2, b"eth0") + address(2, 10, v6, 64, 0x120) + link(3, b"tun0", 0x10D1, 0xFFFE)
    yield "links", b"\0" + before + after
    yield "links-repaired", b"\1" + before + after
    out = attribute(4, struct.pack("<I", 2))
    hop = struct.pack("<HBBi", 16, 0, 0, 2) + attribute(5, v4)
    routes = route(2, 0, attribute(5, v4) + out) + \
        route(2, 24, attribute(1, v4[:3] + b"\0") + out) + \
        route(10, 0, attribute(5, gateway) + out + attribute(6, struct.pack("<I", 1024))) + \
        route(2, 8, attribute(1, bytes((10, 0, 0, 0))), kind=7) + \
        route(2, 0, attribute(9, hop + hop)) + \
        route(2, 16, attribute(1, bytes((10, 1, 0, 0))) + attribute(18, b"\x0a\0" + gateway) + out +
              attribute(8, attribute(2, struct.pack("<I", 1400))) + attribute(7, v4))
    yield "routes", b"\2" + routes
    yield "routes-repaired", b"\3" + routes
    yield "news", b"\4" + address(2, 2, v4, 24) + netlink_message(21, bytes(8)) + \
        netlink_message(25, bytes(12))


def text(value):
    return struct.pack("!I", len(value)) + value


def texts(values):
    return struct.pack("!I", len(values)) + b"".join(text(value) for value in values)


def helper_messages():
    """As fuzz_program_wire reads them: 0 a request and 1 a report as they are on the socket, 2
    and 3 what one is made of."""
    files = struct.pack("!I", 1) + text(b"auth_control_file") + text(b"acf") + text(b"1") + b"\0"
    yield "program", b"\0\1" + struct.pack("!Q", 7) + text(b"client alice") + \
        texts([b"/bin/decide", b"x"]) + texts([b"A=b"]) + files + b"\1" + bytes(8) + b"\1"
    yield "read", b"\0\2" + struct.pack("!Q", 8) + text(b"alice")
    yield "forget", b"\0\3" + struct.pack("!Q", 9)
    yield "finish", b"\0\4"
    yield "end", b"\1\5" + struct.pack("!Qi", 7, -1) + text(b"output") + files
    yield "deferred", b"\1\6" + struct.pack("!Q", 7) + text(b"30\nwebauth\nurl\n")
    yield "file", b"\1\7" + struct.pack("!Q", 8) + text(b"iroute") + text(b"ccd/a") + text(b"")
    yield "restarted", b"\1\x08"
    yield "open", b"\0\x09"
    yield "opened", b"\1\x0a" + struct.pack("!i", 13)
    yield "serve", b"\0\x0b"
    yield "made-program", b"\2\0" + bytes(range(200))
    yield "made-large", b"\2\0" + bytes(8) + b"\xff\xff" + b"x" * 255 + b"\7" + \
        b"\xff\xff" + b"y" * 600
    yield "made-end", b"\3\0" + bytes(12) + b"\1\4okay\2" + b"\0\1a\0\1b\0\1c\1" * 2


def desk_scripts():
    """As fuzz_program_desk reads them."""
    def word(value):
        return bytes((len(value),)) + value

    def ask(kind, name=b"alice", links=0):
        return bytes((0, kind, 1)) + word(name) + b"\1" + word(b"CN=alice") + bytes((links,)) + \
            word(b"CN=x") * links + word(b"alice") + word(b"UV_X=1") + word(b"secret") + \
            word(b"cmVzcG9uc2U=") + b"\1"

    def end(number, status=1, files=b"\2" + b"\1a\1b"):
        return bytes((2, number, status)) + word(b"output\n") + files

    yield "all-kinds", b"\0" + b"".join(ask(kind, links=2) for kind in range(8)) + \
        b"".join(end(number) for number in range(1, 9))
    yield "deferred", b"\4" + ask(1) + bytes((4, 1, 1)) + struct.pack("!I", 30) + word(b"url") + \
        ask(5) + end(2, 2) + end(1, 2, b"\3\1a\1b\1c")
    yield "withdrawn", b"\2" + ask(3) + b"\6\1" + end(1) + ask(2) + b"\5\2" + word(b"iroute x") + \
        word(b"") + b"\7\0" + ask(0, links=1) + b"\7\2\3"


def server_scripts():
    """As fuzz_server reads them: a byte of configuration, then steps."""
    def exchange(count):
        return b"\x0e" * count

    def decide(how=0, which=0, lines=b"\7"):
        return bytes((1, how, which)) + (lines if how % 8 != 7 else b"")

    yes = (exchange(3) + decide()) * 8
    named = b"\x27\xa7"
    yield "asked-and-taken", b"\x03" + named + yes + exchange(4)
    yield "asked-and-refused", b"\x01" + named + exchange(6) + decide() + exchange(2) + \
        decide(3) + exchange(4)
    yield "asked-for-terms", b"\x03" + named + (exchange(3) + decide(0, 0, b"\0") +
                                                decide(0, 0, b"\1")) * 8 + exchange(4)
    yield "answered-late", b"\x01" + named + exchange(6) + b"\4\xff" * 5 + decide() + exchange(4)
    yield "withdrawn", b"\x01" + named + exchange(6) + b"\x0a\1\x8a\1" + exchange(2) + decide() * 2
    yield "pending", b"\x01" + named + (exchange(3) + decide()) * 2 + decide(7) + exchange(2) + \
        b"\x0a\4" + exchange(2) + decide() * 2 + exchange(4)
    yield "helper-dies", b"\x01" + named + exchange(6) + b"\1\xff" + exchange(4)
    yield "renegotiated", b"\x21" + named + yes + (b"\3" + exchange(2) + decide()) * 12
    yield "over-tcp", b"\x00\x17\x97" + exchange(12) + b"\x0c\0" + exchange(2) + b"\x17" + \
        exchange(8) + b"\x0b\1\x08\0\3\x0c\1" + exchange(2)
    yield "deadlines", b"\x40" + exchange(8) + b"\3" * 40
    yield "goodbye", b"\x81" + named + yes + b"\x0d\7\x0d\3" + exchange(4)

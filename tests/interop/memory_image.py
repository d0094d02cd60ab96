#!/usr/bin/python3
"""Looks for secrets in the memory of a running process.

    memory_image.py PID < SECRETS

SECRETS has a line each: a name, and the bytes in hexadecimal (or `text:` and the text). Prints a
line each: the name, how often it was found, and the mappings with it. The process is not stopped:
what is looked for must not be changing. Needs CAP_SYS_PTRACE where it is not dumpable.
"""

import re
import sys

PIECE = 1 << 24


def mappings(pid):
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps:
        for line in maps:
            fields = line.split(maxsplit=5)
            name = fields[5].strip() if len(fields) > 5 else "anonymous"
            if "r" in fields[1] and name not in ("[vvar]", "[vsyscall]"):
                begin, end = (int(part, 16) for part in fields[0].split("-"))
                yield begin, end, name


def pieces(memory, begin, end, overlap):
    """The bytes of a mapping in pieces that overlap, so that no secret is cut in two."""
    at = begin
    while at < end:
        try:
            memory.seek(at)
            yield at, memory.read(min(PIECE + overlap, end - at))
        except (OSError, ValueError, OverflowError):
            return
        at += PIECE


def search(pid, secrets):
    # One pass for all; a name may have several patterns that are alike in nothing.
    pattern = re.compile(b"|".join(re.escape(value) for value in set(secrets.values())))
    overlap = max(map(len, secrets.values())) - 1
    found = {}
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for begin, end, name in mappings(pid):
            for at, piece in pieces(memory, begin, end, overlap):
                for match in pattern.finditer(piece):
                    if match.start() < PIECE:
                        place = f"{name}@{at + match.start():x}"
                        found.setdefault(match.group(), []).append(place)
    return found


def main():
    secrets = {}
    for line in sys.stdin:
        name, value = line.rstrip("\n").split(" ", 1)
        text = value.removeprefix("text:")
        secrets[name] = text.encode() if text != value else bytes.fromhex(value)
    found = search(int(sys.argv[1]), secrets)
    for name, value in secrets.items():
        places = found.get(value, [])
        print(name, len(places), *places[:8])


if __name__ == "__main__":
    main()

"""What the ciphers cost, from perf/bench's bench_aead: the bars add it to the floor."""

import json
import re

from lib.shell import LabError, run

# Full packets of the labs; bench_aead's nearest size.
SIZE = 1400
CIPHERS = {'AES-256-GCM': 'aes', 'CHACHA20-POLY1305': 'chacha'}
# A server opens what is sent up, and seals what is sent down.
DIRECTIONS = {'open': 'up', 'seal': 'down'}
# aead_seal/ipsec-mb/AES-256-GCM/1400: the cipher alone, without the packet around it.
NAME = re.compile(rf'aead_(open|seal)/[^/]+/({"|".join(CIPHERS)})/{SIZE}')


def measure(binary, core):
    """{('aes', 'up'): ns, ...}: the time of the fastest engine for one packet, which is the one
    that Ringway chooses. Empty when there is no such benchmark."""
    if not binary.exists():
        return {}
    try:
        text = run('taskset', '-c', core, binary, '--benchmark_format=json',
                   '--benchmark_min_time=0.2', f'--benchmark_filter=^aead_.*/{SIZE}$', timeout=300)
        return from_report(json.loads(text))
    except (LabError, ValueError) as error:
        print(f'no AEAD figures: {error}')
        return {}


def from_report(report):
    """Of Google Benchmark's JSON."""
    found = {}
    for row in report['benchmarks']:
        match = NAME.fullmatch(row['name'])
        if not match or row.get('error_occurred'):
            continue
        key = (CIPHERS[match[2]], DIRECTIONS[match[1]])
        ns = row['cpu_time'] * {'ns': 1, 'us': 1e3, 'ms': 1e6, 's': 1e9}[row['time_unit']]
        found[key] = min(ns, found.get(key, ns))
    return found


def from_words(words):
    """'aes=182,chacha=544' is for both directions, 'aes-up=180' for one."""
    found = {}
    for word in words.split(','):
        name, _, value = word.partition('=')
        cipher, _, direction = name.partition('-')
        ways = [direction] if direction else list(DIRECTIONS.values())
        if cipher not in CIPHERS.values() or not set(ways) <= set(DIRECTIONS.values()):
            raise LabError(f'--aead-ns knows aes, chacha, aes-up, chacha-down, ...: not "{name}"')
        try:
            found.update({(cipher, way): float(value) for way in ways})
        except ValueError:
            raise LabError(f'--aead-ns wants nanoseconds, not "{value}"') from None
    return found

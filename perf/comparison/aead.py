"""What the ciphers cost, from perf/bench's bench_aead: the bars add it to the floor."""

import json
import re

from lib.shell import LabError, run

# Full packets of the labs.
SIZE = 1400
NAMES = {'aes': r'aes.?256', 'chacha': r'chacha'}
DIRECTIONS = {'up': r'open|decrypt', 'down': r'seal|encrypt'}


def measure(binary, core):
    """{('aes', 'up'): ns, ...}: the fastest engine's time for one packet, as Ringway would choose.
    Empty when there is no such benchmark yet."""
    if not binary.exists():
        return {}
    try:
        text = run('taskset', '-c', core, binary, '--benchmark_format=json',
                   '--benchmark_min_time=0.05', timeout=300)
        return from_report(json.loads(text))
    except (LabError, ValueError) as error:
        print(f'no AEAD figures: {error}')
        return {}


def from_report(report):
    found = {}
    for row in report['benchmarks']:
        name = row['name'].lower()
        if row.get('run_type') == 'aggregate' or not re.search(rf'\b{SIZE}\b', name):
            continue
        for cipher, pattern in NAMES.items():
            for direction, verb in DIRECTIONS.items():
                if re.search(pattern, name) and re.search(verb, name):
                    ns = nanoseconds_per_packet(row)
                    key = (cipher, direction)
                    found[key] = min(ns, found.get(key, ns))
    return found


def nanoseconds_per_packet(row):
    """A benchmark that handles batches says how many packets with items_per_second."""
    if row.get('items_per_second'):
        return 1e9 / row['items_per_second']
    return row['cpu_time'] * {'ns': 1, 'us': 1e3, 'ms': 1e6, 's': 1e9}[row['time_unit']]


def from_words(words):
    """'aes=182,chacha=544' -> the same for both directions; 'aes-up=180' for one."""
    found = {}
    for word in words.split(','):
        name, _, value = word.partition('=')
        cipher, _, direction = name.partition('-')
        if cipher not in NAMES or direction not in ('', *DIRECTIONS):
            raise LabError(f'--aead-ns knows aes, chacha, aes-up, ...: not "{name}"')
        for each in [direction] if direction else DIRECTIONS:
            found[(cipher, each)] = float(value)
    return found

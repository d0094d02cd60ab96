"""What the ciphers cost by packet size, from perf/bench's bench_aead: the bars add it to the
floor."""

import json
import re

from lib.shell import LabError, run

# aead_seal/ipsec-mb/AES-256-GCM/1400: the cipher alone, without the packet around it.
NAME = re.compile(r'aead_(open|seal)/[^/]+/([A-Z0-9-]+)/(\d+)')
# A server opens what is sent up, and seals what is sent down.
DIRECTIONS = {'open': 'up', 'seal': 'down'}


def measure(binary, core, sizes):
    """{(cipher, direction, size): ns}: the time of the fastest engine, which is the one that
    Ringway chooses. Empty when there is no such benchmark; sizes that it lacks are left out."""
    if not binary.exists():
        return {}
    chosen = '|'.join(str(size) for size in sizes)
    try:
        text = run('taskset', '-c', core, binary, '--benchmark_format=json',
                   '--benchmark_min_time=0.1', f'--benchmark_filter=^aead_.*/({chosen})$',
                   timeout=300)
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
        key = (match[2], DIRECTIONS[match[1]], int(match[3]))
        ns = row['cpu_time'] * {'ns': 1, 'us': 1e3, 'ms': 1e6, 's': 1e9}[row['time_unit']]
        found[key] = min(ns, found.get(key, ns))
    return found


def to_words(figures):
    """For the header of the results: JSON has no tuples for keys."""
    return {' '.join(map(str, key)): round(ns, 1) for key, ns in figures.items()}


def from_header(words):
    """What to_words() made."""
    figures = {}
    for key, ns in words.items():
        cipher, direction, size = key.split()
        figures[cipher, direction, int(size)] = ns
    return figures

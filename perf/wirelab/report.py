"""Bars, tables and pictures of a run of perf/wire."""

from dataclasses import replace

from lib import plots, stats
from lib.results import table

FLOOR_FACTOR = 1.2
MANY_CLIENTS_FACTOR = 1.3
MANY_CLIENTS = 1000
CIPHERS = {'ringway': 'AES-256-GCM', 'ringway-chacha20': 'CHACHA20-POLY1305'}
OPENVPN_FACTOR = {'single': 2.0, 'merged': 8.0}

CAVEATS = '''The server has core 0, the generator core 1. The server's CPU time is all that its \
process spent, whatever of the kernel it ran: the socket's receive and send, the way out through \
the outer card (uploads: through the server's TUN device, the routing and the inner card). What \
runs in the generator's write instead, as it would in an interrupt: for uploads the outer receive \
stack up to the socket, for downloads the inner receive stack and the routing up to the server's \
TUN device. A row in which the server was less than fully used still says what a packet cost.

*single*: the cards hand packets over one by one and take none that is larger. *merged*: trains of \
40 arrive as one super-packet, as from a card with GRO, and the cards take TSO and USO packets.'''


class Medians:
    """Rows by subject and scenario."""

    def __init__(self, rows):
        self.rows = {}
        for row in rows:
            key = (row['subject'], row['clients'], row['size'], row['direction'], row['mode'])
            self.rows.setdefault(key, []).append(row)

    def values(self, subject, scenario, field='server_ns_packet'):
        key = (subject, scenario.clients, scenario.size, scenario.direction, scenario.mode)
        return [row[field] for row in self.rows.get(key, [])]

    def median(self, subject, scenario, field='server_ns_packet'):
        return stats.median(self.values(subject, scenario, field))


def floor_of(medians, scenario):
    """The floor's nanoseconds: with as many clients where it can, else with one."""
    value = medians.median('floor', scenario)
    return value if value is not None else medians.median('floor', replace(scenario, clients=1))


def bars(medians, scenarios, aead):
    """(bar, scenario, value, limit, passed) of each that can be judged. `aead` is
    {(cipher, direction, size): ns}."""
    judged = []
    for subject, cipher_name in CIPHERS.items():
        for scenario in scenarios:
            ours = medians.median(subject, scenario)
            if ours is None:
                continue
            floor = floor_of(medians, scenario)
            cipher = aead.get((cipher_name, scenario.direction, scenario.size))
            if floor is not None and cipher is not None:
                limit = FLOOR_FACTOR * (floor + cipher)
                judged.append((f'{subject}: ns a packet ≤ {FLOOR_FACTOR} × (floor {floor:.0f} + '
                               f'AEAD {cipher:.0f})', scenario, ours, limit, ours <= limit))
            theirs = medians.median('openvpn', scenario)
            if theirs is not None and subject == 'ringway':
                limit = OPENVPN_FACTOR[scenario.mode]
                judged.append((f'{subject}: ≥ {limit:g} × OpenVPN 2.6', scenario, theirs / ours,
                               limit, theirs / ours >= limit))
            one = medians.median(subject, replace(scenario, clients=1))
            if scenario.clients == MANY_CLIENTS and not scenario.merged and one:
                judged.append((f'{subject}: {MANY_CLIENTS:,} clients ≤ {MANY_CLIENTS_FACTOR} × '
                               'one client', scenario, ours / one, MANY_CLIENTS_FACTOR,
                               ours / one <= MANY_CLIENTS_FACTOR))
    return judged


def show_bars(judged):
    lines = []
    for name, scenario, value, limit, passed in judged:
        digits = 0 if limit >= 50 else 2
        shortfall = '' if passed else f', {abs(value / limit - 1):.0%} off'
        lines.append(f'{"PASS" if passed else "FAIL"}  {scenario}  {name}: '
                     f'{value:.{digits}f} against {limit:.{digits}f}{shortfall}')
    passed = sum(bar[-1] for bar in judged)
    lines.append(f'{passed} of {len(judged)} bars are reached')
    return '\n'.join(lines)


def result_table(medians, scenarios, subjects):
    rows = []
    for scenario in scenarios:
        for subject in subjects:
            ns = medians.values(subject, scenario)
            if not ns:
                continue

            def middle(field, digits=2):
                return stats.show(medians.median(subject, scenario, field), digits)
            rows.append((str(scenario), subject, stats.show_spread(ns, 0),
                         middle('server_utilisation'), middle('gbit_s'), middle('gbit_cpu_s'),
                         f'{100 * medians.median(subject, scenario, "loss"):.3f} %',
                         middle('reordered', 0), middle('train_out', 1),
                         stats.show(medians.median(subject, scenario, 'latency_p50_us'), 0) + ' / '
                         + stats.show(medians.median(subject, scenario, 'latency_p99_us'), 0)))
    return table(('scenario', 'server', 'server ns a packet', 'utilisation', 'Gbit/s',
                  'Gbit per CPU-second', 'loss', 'reordered', 'packets a frame out',
                  'latency µs p50 / p99'), rows)


def pictures(folder, medians, scenarios, subjects):
    for mode in sorted({scenario.mode for scenario in scenarios}):
        chosen = [scenario for scenario in scenarios if scenario.mode == mode]
        series = {subject: [stats.spread(medians.values(subject, scenario)) for scenario in chosen]
                  for subject in subjects}
        series = {name: values for name, values in series.items() if any(values)}
        groups = [f'{scenario.clients:,}×\n{scenario.size} B\n{scenario.direction}'
                  for scenario in chosen]
        plots.bars(folder / f'wire-{mode}', f'Server CPU time a packet, {mode}', 'ns a packet',
                   groups, series, log=True)

"""The bars that Ringway has to reach in this lab, and what was reached.

A bar compares medians. One whose rows were not measured says so; it is never passed by default.
"""

from dataclasses import dataclass

from lib import stats

AES, CHACHA, STOCK = 'ringway-aes', 'ringway-chacha', 'ringway-stock'
OPENVPN, WIREGUARD, FLOOR = 'openvpn', 'wireguard-go', 'floor'
CIPHERS = {AES: 'aes', CHACHA: 'chacha'}


@dataclass
class Verdict:
    """One bar. `value` and `bar` are in `unit`; None where a row is missing."""
    group: str
    text: str
    value: float | None
    bar: float | None
    unit: str
    at_most: bool
    missing: str = ''

    @property
    def state(self):
        if self.value is None or self.bar is None:
            return 'NOT MEASURED'
        reached = self.value <= self.bar if self.at_most else self.value >= self.bar
        return 'PASS' if reached else 'SHORT'

    def line(self):
        """PASS, or by how much it falls short."""
        if self.state == 'NOT MEASURED':
            return f'NOT MEASURED  {self.text} ({self.missing})'
        sign = '<=' if self.at_most else '>='
        digits = 0 if self.unit in ('ns', 'us') else 2
        measured = (f'{stats.show(self.value, digits)} {self.unit}, bar {sign} '
                    f'{stats.show(self.bar, digits)} {self.unit}')
        if self.state == 'PASS':
            return f'PASS          {self.text}: {measured}'
        gap = self.value / self.bar - 1 if self.at_most else 1 - self.value / self.bar
        where = 'above' if self.at_most else 'below'
        return f'SHORT         {self.text}: {measured} ({gap:.0%} {where})'


class Medians:
    """Medians of rows by lab, peer, workload and metric."""

    def __init__(self, rows):
        self.values = {}
        for row in rows:
            if row.get('failed'):
                continue
            for metric, value in row.items():
                if isinstance(value, (int, float)) and not isinstance(value, bool):
                    key = (row['lab'], row['peer'], row['workload'], metric)
                    self.values.setdefault(key, []).append(value)

    def __call__(self, lab, peer, workload, metric):
        return stats.median(self.values.get((lab, peer, workload, metric), []))


def judge(rows, aead, groups):
    """All verdicts of the groups, in order. `aead` is {('aes', 'up'): ns, ...}."""
    found = Medians(rows)
    verdicts = []
    if 'tcp1' in groups:
        verdicts += _tcp(found, aead, 'tcp1', 'on', '1', 1.15,
                         {AES: (10, 3), CHACHA: (7, 1.8)})
    if 'tcp8' in groups:
        verdicts += _tcp(found, aead, 'tcp8', 'on', '8', 1.2, {AES: (8, 2.5)})
    if 'speed' in groups:
        verdicts += _speed(found)
    if 'wire' in groups:
        verdicts += _wire(found, aead)
    if 'stock' in groups:
        verdicts += _stock(found)
    if 'rtt' in groups:
        verdicts += _rtt(found)
    return verdicts


def _tcp(found, aead, group, lab, streams, factor, wanted):
    verdicts = []
    for peer, (over_openvpn, over_wireguard) in wanted.items():
        for direction in ('up', 'down'):
            work = direction + streams
            verdicts.append(_against_floor(found, aead, group, lab, peer, work, factor))
            for rival, times in ((OPENVPN, over_openvpn), (WIREGUARD, over_wireguard)):
                verdicts.append(_times(found, group, lab, peer, work, rival, times))
    return verdicts


def _against_floor(found, aead, group, lab, peer, work, factor):
    floor = found(lab, FLOOR, work, 'ns_per_packet')
    cipher = aead.get((CIPHERS[peer], 'up' if work.startswith('up') else 'down'))
    bar = factor * (floor + cipher) if floor and cipher else None
    parts = f'{factor} x (floor {stats.show(floor, 0)} + AEAD {stats.show(cipher, 0)})'
    return Verdict(group, f'{lab}: {peer} {work}, server ns a packet <= {parts}',
                   found(lab, peer, work, 'ns_per_packet'), bar, 'ns', True,
                   'no AEAD figure' if floor and not cipher else 'rows are missing')


def _times(found, group, lab, peer, work, rival, times, metric='gbit_per_cpu_s'):
    value = stats.ratio(found(lab, peer, work, metric), found(lab, rival, work, metric))
    what = 'Gbit per server CPU-second' if metric == 'gbit_per_cpu_s' else 'Gbit/s'
    return Verdict(group, f'{lab}: {peer} {work}, {what}, times {rival}', value, times, 'x', False,
                   'rows are missing')


def _speed(found):
    verdicts = []
    for work in ('up1', 'down1'):
        verdicts.append(Verdict('speed', f'on: {AES} {work}, end to end',
                                found('on', AES, work, 'gbit_s'), 4, 'Gbit/s', False,
                                'rows are missing'))
        verdicts.append(_times(found, 'speed', 'on', AES, work, OPENVPN, 6, 'gbit_s'))
    return verdicts


def _wire(found, aead):
    verdicts = []
    for work, times in (('up1', 1.4), ('down1', 1.7)):
        verdicts.append(_against_floor(found, aead, 'wire', 'wire', AES, work, 1.15))
        verdicts.append(_times(found, 'wire', 'wire', AES, work, OPENVPN, times))
    return verdicts


def _stock(found):
    return [_times(found, 'stock', 'on', STOCK, 'down1', OPENVPN, 2.3),
            _times(found, 'stock', 'on', STOCK, 'up1', OPENVPN, 1.6),
            _times(found, 'stock', 'quota', STOCK, 'up1', OPENVPN, 2.5)]


def _rtt(found):
    verdicts = []
    for peer in (STOCK, AES):
        for metric, factor in (('rtt_p50_us', 1.1), ('rtt_p99_us', 2)):
            theirs = found('rtt', OPENVPN, 'rtt', metric)
            verdicts.append(Verdict(
                'rtt', f'rtt: {peer} idle {metric[4:7]} <= {factor} x {OPENVPN}',
                found('rtt', peer, 'rtt', metric), factor * theirs if theirs else None, 'us', True,
                'rows are missing'))
        for work in ('rtt-up', 'rtt-down'):
            verdicts.append(Verdict('rtt', f'rtt: {peer} p99 beside a bulk flow {work[4:]}',
                                    found('rtt', peer, work, 'rtt_p99_us'), 2000, 'us', True,
                                    'rows are missing'))
    return verdicts

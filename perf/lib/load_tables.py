"""Rows of perf/loadgen as Markdown tables, and the two bars that a load generator can judge."""

from .results import table
from .stats import median, ratio, show, show_spread


def _of(rows, scenario):
    return [row for row in rows if row.get('scenario') == scenario and 'error' not in row]


def _servers(rows):
    return list(dict.fromkeys(row['server'] for row in rows))


def _values(rows, *path):
    found = []
    for row in rows:
        value = row
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None:
            found.append(value)
    return found


def _section(title, columns, lines):
    return f'### {title}\n\n{table(columns, lines)}\n' if lines else ''


def _grouped(rows, scenario, columns, extra_key=None):
    """One line a server (and a value of extra_key): medians and spreads of `columns`, each
    (heading, path, digits)."""
    chosen, lines = _of(rows, scenario), []
    for server in _servers(chosen):
        mine = [row for row in chosen if row['server'] == server]
        for extra in dict.fromkeys(extra_key(row) for row in mine) if extra_key else [None]:
            group = [row for row in mine if not extra_key or extra_key(row) == extra]
            cells = [show_spread(_values(group, *path), digits) for _, path, digits in columns]
            lines.append([server, *([extra] if extra_key else []), *cells])
    return lines


_STORM = (('clients', ('clients',), 0), ('connected', ('connected',), 0),
          ('handshakes / control CPU-s', ('handshakes_per_control_cpu_second',), 0),
          ('control ms each', ('control_ms_per_handshake',), 3),
          ('whole server ms each', ('server_ms_per_handshake',), 3),
          ('connects/s', ('connects_per_second',), 0),
          ('p50 ms', ('time_to_connect', 'p50_ms'), 0),
          ('p99 ms', ('time_to_connect', 'p99_ms'), 0),
          ('KiB a session', ('rss_kib_per_session',), 1))
_DATA = (('storm of', ('clients',), 0), ('connected', ('connected',), 0),
         ('quiet p50 ms', ('quiet_round_trip', 'p50_ms'), 2),
         ('quiet p99', ('quiet_round_trip', 'p99_ms'), 2),
         ('storm p50', ('storm_round_trip', 'p50_ms'), 2),
         ('storm p99', ('storm_round_trip', 'p99_ms'), 2),
         ('lost quiet', ('quiet_lost',), 0), ('lost in the storm', ('storm_lost',), 0))
_IDLE = (('sessions', ('clients',), 0), ('still connected', ('still_connected',), 0),
         ('server us a session and second', ('server_us_per_session_second',), 2),
         ('KiB a session', ('rss_kib_per_session',), 1))
_TRAFFIC = (('packets/s up', ('up', 'packets_per_second'), 0),
            ('packets/s down', ('down', 'packets_per_second'), 0),
            ('lost up', ('up', 'lost'), 0), ('lost down', ('down', 'lost'), 0),
            ('reordered up', ('up', 'reordered'), 0), ('reordered down', ('down', 'reordered'), 0),
            ('duplicated', ('down', 'duplicated'), 0),
            ('RTT p50 ms', ('round_trip', 'p50_ms'), 2),
            ('RTT p99 ms', ('round_trip', 'p99_ms'), 2),
            ('server ns a packet', ('server_ns_per_packet',), 0))
_FLOAT = (('clients', ('clients',), 0), ('answered at the new port',
                                         ('answered_at_the_new_port',), 0))
_REKEY = (('clients', ('clients',), 0), ('rekeyed', ('rekeyed',), 0),
          ('rekeys/s', ('rekeys_per_second',), 0), ('control ms each',
                                                    ('control_ms_per_rekey',), 3),
          ('p50 ms', ('time_to_rekey', 'p50_ms'), 0), ('p99 ms', ('time_to_rekey', 'p99_ms'), 0))
_RESTART = (('clients', ('clients',), 0), ('reconnected', ('reconnected',), 0),
            ('s from the first loss to all back', ('seconds_first_lost_to_all_back',), 2),
            ('s from the signal', ('seconds_phase_begin_to_all_back',), 2))


def _traffic_kind(row):
    pace = 'bulk' if row['up']['packets_per_second'] > 6000 else 'paced'
    return (f'{row["clients"]} clients, {row["packet_size"]} B, IPv{row["inner_family"]}, '
            f'{row["answers"]} answer{"s" if row["answers"] != 1 else ""}, {pace}')


def _heads(columns):
    return [heading for heading, _, _ in columns]


def tables(rows):
    return '\n'.join(text for text in (
        _section('Connect storm', ['server', *_heads(_STORM)], _grouped(rows, 'storm', _STORM)),
        _section('Data during a storm', ['server', *_heads(_DATA)],
                 _grouped(rows, 'storm-data', _DATA)),
        _section('Idle sessions', ['server', *_heads(_IDLE)], _grouped(rows, 'idle', _IDLE)),
        _section('Steady traffic', ['server', 'traffic', *_heads(_TRAFFIC)],
                 _grouped(rows, 'traffic', _TRAFFIC, _traffic_kind)),
        _section('Ten active clients among idle ones', ['server', 'idle ones', *_heads(_TRAFFIC)],
                 _grouped(rows, 'active', _TRAFFIC, lambda row: row['others'])),
        _section('Floats', ['server', *_heads(_FLOAT)], _grouped(rows, 'float', _FLOAT)),
        _section('Renegotiation storm', ['server', *_heads(_REKEY)],
                 _grouped(rows, 'renegotiate', _REKEY)),
        _section('Restart of the server', ['server', 'by', *_heads(_RESTART)],
                 _grouped(rows, 'restart', _RESTART, lambda row: row['signal'])),
    ) if text)


class _Bars:
    """What Ringway is held to. Only what was measured is judged."""

    HANDSHAKES = 850
    AGAINST_OPENVPN = 1.2
    KIB_A_SESSION = 48
    KIB_AT_SESSIONS = 10_000
    ACTIVE_SHARE = 0.9

    def verdicts(self, rows):
        lines = [self._line(*found) for found in self._judged(rows)]
        return '\n'.join(['### Bars', '', *lines, '']) if lines else ''

    @staticmethod
    def _line(name, value, bound, passed, digits=2):
        state = 'PASS' if passed else 'short of it'
        return f'* {name}: {show(value, digits)} ({bound}): **{state}**'

    def _judged(self, rows):
        storms = _of(rows, 'storm')

        def rate(server):
            return median(_values([row for row in storms if row['server'] == server],
                                  'handshakes_per_control_cpu_second'))
        ours, theirs = rate('ringway'), rate('openvpn')
        if ours:
            yield ('handshakes a CPU-second of the control thread', ours,
                   f'at least {self.HANDSHAKES}', ours >= self.HANDSHAKES, 0)
        if ours and theirs:
            share = ratio(ours, theirs)
            yield ('of those, against OpenVPN', share, f'at least {self.AGAINST_OPENVPN} times',
                   share >= self.AGAINST_OPENVPN)
        large = [row for row in storms + _of(rows, 'idle') if row['server'] == 'ringway'
                 and row['clients'] >= self.KIB_AT_SESSIONS]
        memory = median(_values(large, 'rss_kib_per_session'))
        if memory:
            yield (f'KiB a session at {self.KIB_AT_SESSIONS:,}', memory,
                   f'at most {self.KIB_A_SESSION}', memory <= self.KIB_A_SESSION)
        active = [row for row in _of(rows, 'active') if row['server'] == 'ringway']
        alone = median(_values([row for row in active if not row['others']],
                               'down', 'packets_per_second'))
        among = median(_values([row for row in active if row['others']],
                               'down', 'packets_per_second'))
        if alone and among:
            yield ('throughput of ten active clients among idle ones, against alone',
                   among / alone, f'at least {self.ACTIVE_SHARE}',
                   among / alone >= self.ACTIVE_SHARE)
        data = [row for row in _of(rows, 'storm-data') if row['server'] == 'ringway']
        quiet = median(_values(data, 'quiet_round_trip', 'p99_ms'))
        stormy = median(_values(data, 'storm_round_trip', 'p99_ms'))
        if quiet and stormy:
            yield ('p99 of data in a storm, against before it', stormy / quiet, 'about 1',
                   stormy <= 1.25 * quiet or stormy <= 2)


BARS = _Bars()

"""The named scenarios of perf/loadgen. Each takes a LoadLab whose server is down, and the plan;
each returns rows, one a measurement."""

import signal
import time
from dataclasses import dataclass

from .shell import LabError

# How long sessions must be old before the peer takes a renegotiation.
_RENEGOTIATION_AGE = 6.0


@dataclass
class Plan:
    clients: int = 1000
    seconds: float = 5.0
    rate: int = 0
    timeout: float = 120.0


def storm(lab, plan):
    """All clients at once (or --rate a second): what a handshake costs, how long one takes."""
    server = lab.start_server()
    before = server.rss_kib() if server else 0
    generator = lab.generator(plan.clients)
    lab.take_cost()
    report = generator.phase('connect', rate=plan.rate, timeout=plan.timeout)
    return [{**report, **handshake_cost(lab, report['connected'], before)}]


def handshake_cost(lab, connected, rss_before):
    cost = lab.take_cost()
    if not cost or not connected:
        return {}
    control, whole = cost.get('control', 0), sum(cost.values())
    return {'control_ms_per_handshake': control / 1e6 / connected,
            'server_ms_per_handshake': whole / 1e6 / connected,
            'handshakes_per_control_cpu_second': 1e9 * connected / control,
            'handshakes_per_server_cpu_second': 1e9 * connected / whole,
            'rss_kib_per_session': (lab.server.rss_kib() - rss_before) / connected}


def storm_data(lab, plan):
    """Ten clients' steady packets before and during a storm of all the others. The generator of the
    packets and the echo run ahead of everything else on their core, so that what is delayed was
    delayed by the server."""
    lab.start_server()
    steady, crowd = lab.generator(10), lab.generator(plan.clients)
    lab.hurry(steady.pid, *([lab.echo.pid] if lab.echo else []))
    _connect(steady, 10)
    quiet = steady.phase('traffic', pps=2000, seconds=plan.seconds)
    lab.take_cost()
    # The storm is inside of the measured time, and fills it where it lasts longer.
    steady.order('traffic', pps=2000, seconds=max(plan.seconds, plan.clients / 400))
    time.sleep(0.3)
    report = crowd.phase('connect', rate=plan.rate, timeout=plan.timeout)
    stormy = steady.report()
    return [{'phase': 'storm-data', 'clients': plan.clients, 'connect': report,
             'connected': report['connected'],
             'quiet_round_trip': quiet['round_trip'], 'storm_round_trip': stormy['round_trip'],
             'quiet_lost': quiet['up']['lost'] + quiet['down']['lost'],
             'storm_lost': stormy['up']['lost'] + stormy['down']['lost'],
             'server_cpu_ms': {name: ns / 1e6 for name, ns in lab.take_cost().items()}}]


def idle(lab, plan):
    """Sessions that do nothing but keep alive, every ten seconds in each direction."""
    lab.options.append('keepalive 10 60')
    server = lab.start_server()
    before = server.rss_kib() if server else 0
    generator = lab.generator(plan.clients)
    connected = _connect(generator, plan.clients, plan)['connected']
    lab.take_cost()
    seconds = max(plan.seconds, 20)
    report = generator.phase('hold', seconds=seconds)
    cost = sum(lab.take_cost().values())
    if server:
        report.update(server_us_per_session_second=cost / 1e3 / connected / seconds,
                      rss_kib_per_session=(server.rss_kib() - before) / connected)
    return [report]


def traffic(lab, plan):
    """Numbered packets at a pace, echoed; then bulk both ways, over both inner families."""
    lab.start_server()
    generator = lab.generator(min(plan.clients, 100))
    _connect(generator, min(plan.clients, 100))
    rows = []
    for words in ({'pps': 5000, 'size': 512, 'clients': 100},
                  {'pps': 5000, 'size': 512, 'clients': 100, 'family': 6},
                  {'pps': 1000, 'size': 1300, 'answers': 10, 'clients': 100},
                  {'window': 32, 'size': 1300, 'clients': 10},
                  {'window': 32, 'size': 108, 'clients': 10}):
        rows.append(_traffic(lab, generator, plan, **words))
    return rows


def active(lab, plan):
    """Ten clients at full speed: alone, among all the others that are idle, and alone again, so
    that a drift of the machine shows."""
    lab.start_server()
    ten, crowd = lab.generator(10), lab.generator(plan.clients)
    _connect(ten, 10)
    words = {'window': 32, 'size': 1300, 'clients': 10}

    def rows(others, count):
        return [{**_traffic(lab, ten, plan, **words), 'others': others} for _ in range(count)]
    found = rows(0, 2)
    others = _connect(crowd, plan.clients, plan)['connected']
    found += rows(others, 4)
    crowd.phase('leave', seconds=5)
    return found + rows(0, 2)


def floating(lab, plan):
    """New source ports below live sessions: who is answered there? Reported, never failed."""
    lab.start_server()
    count = min(plan.clients, 50)
    generator = lab.generator(count)
    _connect(generator, count)
    return [generator.phase('float', clients=count, seconds=plan.seconds)]


def renegotiate(lab, plan):
    """All clients ask for new keys at once."""
    lab.start_server()
    generator = lab.generator(plan.clients)
    _connect(generator, plan.clients, plan)
    generator.phase('hold', seconds=_RENEGOTIATION_AGE)
    lab.take_cost()
    report = generator.phase('renegotiate', timeout=plan.timeout)
    cost = lab.take_cost()
    if cost and report['rekeyed']:
        report['control_ms_per_rekey'] = cost.get('control', 0) / 1e6 / report['rekeyed']
    return [report]


def restart(lab, plan):
    """The server goes and comes back: by SIGTERM, which tells the clients, and by SIGKILL, which
    they find out by ping-restart."""
    if not lab.is_local:
        raise LabError('restart is for a server that the lab starts itself')
    lab.options += ['keepalive 1 5', 'explicit-exit-notify 1']
    rows = []
    for name, number in (('SIGTERM', signal.SIGTERM), ('SIGKILL', signal.SIGKILL)):
        lab.start_server()
        generator = lab.generator(plan.clients)
        _connect(generator, plan.clients, plan)
        generator.order('reconnect', timeout=plan.timeout, spread=1)
        time.sleep(0.5)
        lab.end_server(number)
        lab.start_server()
        rows.append({**generator.report(), 'signal': name})
        lab.stop_generators()
    return rows


SCENARIOS = {'storm': storm, 'storm-data': storm_data, 'idle': idle, 'traffic': traffic,
             'active': active, 'float': floating, 'renegotiate': renegotiate, 'restart': restart}


def _connect(generator, clients, plan=None):
    """In an orderly manner: what is measured comes later. Nobody may be missing."""
    report = generator.phase('connect', rate=300, timeout=plan.timeout if plan else 30)
    if report['connected'] < clients:
        raise LabError(f'only {report["connected"]} of {clients} clients connected: '
                       f'{report["failures"]}')
    return report


def _traffic(lab, generator, plan, **words):
    lab.take_cost()
    report = generator.phase('traffic', seconds=plan.seconds, **words)
    cost = lab.take_cost()
    data = sum(ns for name, ns in cost.items() if name != 'control' or lab.server_kind != 'ringway')
    packets = report['up']['received'] + report['down']['received']
    if data and packets:
        report['server_ns_per_packet'] = data / packets
    report['inner_family'] = words.get('family', 4)
    return report

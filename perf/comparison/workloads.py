"""What goes through a tunnel: TCP streams, UDP floods and pings, and what is measured meanwhile.

Server CPU time is taken over the whole of a run, from before the first packet to after the last,
and so are the bytes: an idle server's time is nothing, and no two clocks have to agree.
"""

import json
import signal
import time

from lib import stats
from lib.processes import Process, ProcessSet
from lib.shell import LabError, run, wait_for

from .topology import INET_V4, OTHERS_CORE, SERVER_V4

FIRST_PORT = 5201
# Of the UDP datagram's payload. What is counted in the flood is packets, so this is only a name.
UDP_PORT = 5900


def tcp(tunnel, direction, streams=1, seconds=3, clients=1):
    """iperf3 with cubic, from each of `clients` clients at the same time."""
    with ProcessSet() as running:
        for number in range(clients):
            start_iperf_server(running, tunnel.lab.inet, FIRST_PORT + number)
        cpu_before = tunnel.server.cpu_ns()
        started = [start_iperf(running, tunnel.lab.clients[number], FIRST_PORT + number, direction,
                               streams, seconds) for number in range(clients)]
        reports = [parse_iperf(process.output(seconds + 20)) for process in started]
        cpu_s = (tunnel.server.cpu_ns() - cpu_before) / 1e9
    bits = sum(report['bytes'] for report in reports) * 8
    packets = sum(report['bytes'] / report['mss'] for report in reports)
    return {
        'gbit_s': sum(report['bit_s'] for report in reports) / 1e9,
        'server_cpu_s': cpu_s,
        'gbit_per_cpu_s': bits / 1e9 / cpu_s if cpu_s else None,
        'ns_per_packet': cpu_s * 1e9 / packets if packets else None,
        'retransmits': sum(report['retransmits'] for report in reports),
        'mss': reports[0]['mss'],
        'rss_kib': tunnel.server.rss_kib(),
    }


def start_iperf_server(running, namespace, port):
    running.start(['iperf3', '-s', '-1', '-p', port], namespace=namespace, core=OTHERS_CORE,
                  log='/dev/null')
    wait_for(5, f'iperf3 listens on {port}', interval=0.01, condition=lambda: run(
        'ip', 'netns', 'exec', namespace, 'ss', '-Htln', f'sport = :{port}').strip())


def start_iperf(running, namespace, port, direction, streams, seconds):
    words = ['iperf3', '-c', INET_V4, '-p', port, '-t', seconds, '-P', streams, '-C', 'cubic',
             '-J', '-i', 0]
    if direction == 'down':
        words.append('-R')
    return running.start(words, namespace=namespace, core=OTHERS_CORE)


def parse_iperf(text):
    try:
        report = json.loads(text)
        received = report['end']['sum_received']
    except (ValueError, KeyError):
        raise LabError(f'iperf3 failed: {text.strip()[-300:]}') from None
    return {'bytes': received['bytes'], 'bit_s': received['bits_per_second'],
            'mss': report['start']['tcp_mss_default'],
            'retransmits': report['end']['sum_sent'].get('retransmits', 0)}


def udp(tunnel, direction, size, seconds=2, rate=0):
    """Our own flood of datagrams with `size` bytes of payload: sendmmsg, no control channel that it
    could starve. `rate` in packets a second, 0 for all that go."""
    lab, client = tunnel.lab, tunnel.lab.clients[0]
    source, sink = (client, lab.inet) if direction == 'up' else (lab.inet, client)
    address = INET_V4 if direction == 'up' else tunnel.client_address(0)
    with ProcessSet() as running:
        receiver = running.start([tunnel.flood, 'sink', UDP_PORT], namespace=sink,
                                 core=OTHERS_CORE)
        wait_for(5, 'the flood\'s sink listens', interval=0.01, condition=lambda: run(
            'ip', 'netns', 'exec', sink, 'ss', '-Huln', f'sport = :{UDP_PORT}').strip())
        device = tunnel.server_device
        before = lab.device_counters(lab.server, device)
        cpu_before = tunnel.server.cpu_ns()
        sent = json.loads(Process([tunnel.flood, 'send', address, UDP_PORT, size, seconds, rate],
                                  namespace=source, core=OTHERS_CORE).output(seconds + 20))
        wait_until_quiet(tunnel)
        cpu_s = (tunnel.server.cpu_ns() - cpu_before) / 1e9
        after = lab.device_counters(lab.server, device)
        receiver.signal(signal.SIGTERM)
        got = json.loads(receiver.output(5))
    # Uploads may leave the server as super-packets, so that only the sink can count packets. What a
    # server takes out of its TUN device on a download is single packets: the flood's are.
    taken = after['tx_packets'] - before['tx_packets']
    forwarded = got['received'] if direction == 'up' else max(taken, got['received'])
    return {
        'sent_pps': sent['sent'] / sent['seconds'],
        'delivered_pps': got['received'] / sent['seconds'],
        'server_pps': forwarded / sent['seconds'],
        'loss': 1 - got['received'] / sent['sent'] if sent['sent'] else None,
        'reordered': got['reordered'],
        'server_cpu_s': cpu_s,
        'gbit_per_cpu_s': forwarded * size * 8 / 1e9 / cpu_s if cpu_s else None,
        'ns_per_packet': cpu_s * 1e9 / forwarded if forwarded else None,
        'rss_kib': tunnel.server.rss_kib(),
    }


def wait_until_quiet(tunnel):
    """Until the server has worked off its queues: it uses less than a twentieth of its core."""
    last = tunnel.server.cpu_ns()
    for _ in range(40):
        time.sleep(0.05)
        current = tunnel.server.cpu_ns()
        if current - last < 2_500_000:
            return
        last = current


def start_ping(running, tunnel, client, target, count, first=()):
    """Echo requests a millisecond apart, to somebody whose kernel answers."""
    return running.start([*first, tunnel.pinger, target, count, 1000],
                         namespace=tunnel.lab.clients[client], core=OTHERS_CORE)


def round_trips(process, count):
    """Microseconds, one for each request that was answered."""
    text = process.output(count / 1000 + 20)
    try:
        times = json.loads(text)['rtt_us']
    except ValueError:
        raise LabError(f'pinger failed: {text.strip()[-300:]}') from None
    if not times:
        raise LabError('no ping came back')
    return times


def ping(tunnel, count=1000):
    """Round-trip times through the tunnel, with nothing else in it."""
    with ProcessSet() as running:
        times = round_trips(start_ping(running, tunnel, 0, INET_V4, count), count)
    return rtt_row(tunnel, times, count)


def rtt_row(tunnel, times, count):
    return {'rtt_p50_us': stats.percentile(times, 0.5), 'rtt_p99_us': stats.percentile(times, 0.99),
            'rtt_max_us': max(times), 'loss': 1 - len(times) / count,
            'rss_kib': tunnel.server.rss_kib()}


def loaded_ping(tunnel, direction, seconds=3):
    """Pings of the second client while the first has a bulk stream.

    All clients and generators share one core. The second client and its pings have real-time
    priority there, so that what is measured is the server and not the queue for that core. What is
    left of that queue is seen by pings beside the tunnel, to the server's outer address, which the
    kernel answers: lab_p99_us.
    """
    count = seconds * 1000
    with ProcessSet() as running:
        start_iperf_server(running, tunnel.lab.inet, FIRST_PORT)
        bulk = start_iperf(running, tunnel.lab.clients[0], FIRST_PORT, direction, 1, seconds + 1)
        wait_for(5, 'the bulk stream flows', lambda: bulk.running)
        real_time = ('chrt', '-f', '50')
        run('chrt', '-a', '-f', '-p', '50', tunnel.clients[1].pid)
        beside = start_ping(running, tunnel, 1, SERVER_V4, count, real_time)
        through = start_ping(running, tunnel, 1, INET_V4, count, real_time)
        row = rtt_row(tunnel, round_trips(through, count), count)
        row['lab_p99_us'] = stats.percentile(round_trips(beside, count), 0.99)
        report = parse_iperf(bulk.output(seconds + 20))
    row['bulk_gbit_s'] = report['bit_s'] / 1e9
    return row

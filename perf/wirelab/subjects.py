"""The servers under test, each in a namespace of its own with a generator of its own.

All of them run for the whole of the lab and are idle but for their turn, so that rounds can be
interleaved. The server has core 0, its generator core 1.
"""

import json
import select
import subprocess

from lib.namespaces import inside
from lib.processes import parse_cores
from lib.shell import LabError, run, wait_for

SERVER_CORE = 0
WIRE_CORE = 1
PORT = 1194
FIRST_INNER = '10.8.0.2'
QUEUE_LENGTH = 20_000
SOCKET_BUFFER = 4 << 20


class Generator:
    """`ringway-wire` in the server's namespace: a line in, a line of JSON out."""

    def __init__(self, program, namespace, arguments, log):
        self.log = open(log, 'w')
        words = inside(namespace, 'taskset', '-c', str(WIRE_CORE), str(program), *arguments)
        self.popen = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=self.log, text=True, bufsize=1)
        self._answer(30)

    def ask(self, command, seconds=60):
        try:
            self.popen.stdin.write(command + '\n')
            self.popen.stdin.flush()
        except OSError:
            raise LabError(f'the generator has ended; see {self.log.name}') from None
        return self._answer(seconds, command)

    def _answer(self, seconds, command='start'):
        ready, _, _ = select.select([self.popen.stdout], [], [], seconds)
        line = self.popen.stdout.readline() if ready else ''
        if not line:
            raise LabError(f'the generator did not answer to "{command}"; see {self.log.name}')
        answer = json.loads(line)
        if 'error' in answer:
            raise LabError(f'the generator: {answer["error"]}')
        return answer

    def close(self):
        self.popen.stdin.close()
        try:
            self.popen.wait(5)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
        self.popen.stdout.close()
        self.log.close()


class Subject:
    """One server and the two wires that lead to it. `name` is what stands in the results."""

    device = 'tun0'
    cipher = 'AES-256-GCM'
    generator_arguments = ()
    # Its uploads and downloads of so many clients can be measured.
    clients_max = {'up': 60_000, 'down': 60_000}

    def __init__(self, lab):
        self.lab = lab
        self.generator = None
        self.process = None

    def start(self):
        lab = self.lab
        namespace = lab.namespaces.add(self.name)
        lab.namespaces.forward(namespace)
        lab.namespaces.sysctl(namespace, 'net.ipv4.conf.all.rp_filter=0',
                              'net.ipv4.conf.default.rp_filter=0')
        self.generator = Generator(
            lab.build / 'perf/src/wire/ringway-wire', namespace,
            ['--clients', str(self.fleet_size()), '--family', str(lab.options.family),
             '--cipher', self.cipher, '--ca', str(lab.pki / 'ca.crt'),
             '--cert', str(lab.pki / 'client1.crt'), '--key', str(lab.pki / 'client1.key'),
             '--server-device', self.device, *self.generator_arguments],
            lab.work / f'{self.name}-generator.log')
        lab.generators.append(self.generator)
        group = lab.processes.group(f'wire-{self.name}', lab.options.quota)
        self.process = lab.processes.start(
            self.command(), name=self.name, namespace=namespace, core=SERVER_CORE,
            log=lab.work / f'{self.name}.log', group=group, cwd=lab.work)
        wait_for(20, f'{self.name} has its TUN device', lambda: self._is_up(namespace))
        self.configure(namespace)
        # A full queue drops without a word.
        run('ip', '-n', namespace, 'link', 'set', self.device, 'txqueuelen', QUEUE_LENGTH)
        taken = self.generator.ask('connect 120', 130)
        return taken['ns']

    def _is_up(self, namespace):
        if not self.process.running:
            raise LabError(f'{self.name} has ended:\n{self.process.log_tail()}')
        shown = run('ip', '-n', namespace, '-o', 'link', 'show', 'dev', self.device, check=False)
        listening = run('ip', 'netns', 'exec', namespace, 'ss', '-Huln', f'sport = :{PORT}')
        return bool(listening) and self.device in shown and self.device_is_ready(shown)

    def device_is_ready(self, shown):
        return ',UP' in shown

    def configure(self, namespace):
        pass

    def fleet_size(self):
        return max(self.lab.options.clients)

    def can(self, scenario):
        return scenario.clients <= self.clients_max[scenario.direction]

    def measure(self, scenario):
        """One run; the server's CPU time is of the whole of it, the idle time between its blocks
        included, in which there is nothing for it to do."""
        before = self.process.cpu_ns()
        row = self.generator.ask(scenario.command(self.lab.options))
        cpu_ns = self.process.cpu_ns() - before
        received, wall = max(row['received'], 1), max(row['wall_ns'], 1)
        latency = row.pop('latency_ns')
        return {**row, 'latency_p50_us': latency['p50'] / 1000,
                'latency_p99_us': latency['p99'] / 1000, 'latency_max_us': latency['max'] / 1000,
                'server_cpu_ns': cpu_ns, 'server_ns_packet': cpu_ns / received,
                'server_utilisation': cpu_ns / wall, 'packets_s': received * 1e9 / wall,
                'gbit_s': received * scenario.size * 8 / wall,
                'gbit_cpu_s': received * scenario.size * 8 / max(cpu_ns, 1),
                'train_out': received / max(row['frames_out'], 1),
                'loss': row['lost'] / max(row['sent'], 1),
                'generator_waited': row['waited_ns'] / wall}


class Vpn(Subject):
    def write_config(self, *lines):
        lab = self.lab
        text = '\n'.join((
            f'port {PORT}', 'dev tun0', 'topology subnet', 'server 10.8.0.0 255.255.0.0',
            f'ca {lab.pki}/ca.crt', f'cert {lab.pki}/server.crt', f'key {lab.pki}/server.key',
            'dh none', f'data-ciphers {self.cipher}', 'duplicate-cn',
            # Nothing but data while the lab runs.
            'keepalive 600 3600', 'reneg-sec 0',
            f'max-clients {self.fleet_size() + 10}', 'verb 1', *lines))
        file = lab.work / f'{self.name}.conf'
        file.write_text(text + '\n')
        return file


class Ringway(Vpn):
    def __init__(self, lab, cipher='AES-256-GCM'):
        super().__init__(lab)
        self.cipher = cipher
        short = cipher.split('-')[0].lower()
        self.name = 'ringway' if short == 'aes' else f'ringway-{short}'

    def command(self):
        program = self.lab.options.ringway or self.lab.build / 'tools/ringway'
        return [program.resolve(), 'server', self.write_config('proto udp')]


class OpenVpn(Vpn):
    name = 'openvpn'

    def command(self):
        buffers = (f'sndbuf {SOCKET_BUFFER}', f'rcvbuf {SOCKET_BUFFER}')
        return ['openvpn', '--config', self.write_config('proto udp6', 'disable-dco', *buffers)]


class Floor(Subject):
    """The forwarder without cryptography. It answers to one client only."""

    name = 'floor'
    device = 'floor0'
    generator_arguments = ('--plain', FIRST_INNER)
    clients_max = {'up': 60_000, 'down': 1}

    def command(self):
        return [self.lab.build / 'perf/src/floor/floor', '--listen', PORT, '--tun', self.device]

    def device_is_ready(self, shown):
        return True

    def configure(self, namespace):
        run('ip', '-n', namespace, 'address', 'add', '10.8.0.1/16', 'dev', self.device)
        run('ip', '-n', namespace, 'link', 'set', self.device, 'mtu', '1500', 'up')


def make(name, lab):
    if name == 'openvpn':
        return OpenVpn(lab)
    if name == 'floor':
        return Floor(lab)
    ciphers = {'ringway': 'AES-256-GCM', 'ringway-chacha20': 'CHACHA20-POLY1305'}
    return Ringway(lab, ciphers[name])


NAMES = ('ringway', 'ringway-chacha20', 'openvpn', 'floor')


def check_cores():
    import os
    available = os.sched_getaffinity(0)
    wanted = parse_cores(SERVER_CORE) | parse_cores(WIRE_CORE)
    if not wanted <= available:
        raise LabError(f'this lab needs cores {sorted(wanted)}, and has {sorted(available)}')

"""The lab of perf/loadgen and perf/scale: a server between the generator and an echo.

    generator                    server                          inet
    +----------------+           +------------------------+      +------------------+
    | ringway-loadgen|   veth    | ringway or openvpn     | veth | ringway-loadgen  |
    | 192.0.2.2      |===========| 192.0.2.1      10.9.0.1|======| echo  10.9.0.2   |
    | 2001:db8::2    |           | 2001:db8::1    fd00:9::1     |       fd00:9::2  |
    | core 1         |           | core 0, tun0 10.8.0.1  |      | core 1           |
    +----------------+           +------------------------+      +------------------+

Clients come over IPv4 and IPv6 in turn, from 10.8.0.0/16 and fd00:8::/64 inside. All keys are ECDSA
P-256, TLS is 1.3 with X25519; the control channel is wrapped by tls-crypt.
"""

import json
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from . import pki
from .namespaces import Namespaces, inside
from .processes import Process, parse_cores
from .shell import LabError, wait_for

PORT = 1194
OUTER_SERVER = ('192.0.2.1', '2001:db8::1')
ECHO = ('10.9.0.2', 'fd00:9::2')
SERVERS = ('ringway', 'openvpn')


class Generator:
    """A running ringway-loadgen: phase() gives one order and waits for its report."""

    def __init__(self, command, namespace, core, log):
        words = inside(namespace, *(str(word) for word in command))
        cores = parse_cores(core)
        self.log = Path(log)
        self.sink = open(self.log, 'ab')
        self.popen = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.sink, text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, cores) if cores else None)
        self.pid = self.popen.pid

    def order(self, name, **values):
        words = [name, *(f'{key}={value}' for key, value in values.items())]
        self.popen.stdin.write(' '.join(words) + '\n')
        self.popen.stdin.flush()

    def report(self):
        line = self.popen.stdout.readline()
        if not line:
            raise LabError('the generator ended: ' + self.log.read_text().strip()[-500:])
        return json.loads(line)

    def phase(self, name, **values):
        self.order(name, **values)
        return self.report()

    def close(self):
        self.popen.stdin.close()
        try:
            self.popen.wait(2)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
        self.popen.stdout.close()
        self.sink.close()


class ServerCost:
    """What the server's threads have used since the last look."""

    def __init__(self, pid):
        self.pid = pid
        self.before = self._read()

    def _read(self):
        threads = {}
        for task in Path(f'/proc/{self.pid}/task').iterdir():
            try:
                name = (task / 'comm').read_text().strip()
                spent = int((task / 'schedstat').read_text().split()[0])
            except OSError:
                continue
            # The first thread is the control thread (or all that OpenVPN has).
            key = 'control' if int(task.name) == self.pid else name
            threads[key] = threads.get(key, 0) + spent
        return threads

    def take(self):
        """Nanoseconds by thread; what the kernel's io-wq workers did counts as theirs."""
        after = self._read()
        spent = {name: ns - self.before.get(name, 0) for name, ns in after.items()}
        self.before = after
        return {name: ns for name, ns in sorted(spent.items()) if ns > 0}


class LoadLab:
    """Use as a context manager; start_server() and generator() may be called again and again."""

    def __init__(self, build, server='ringway', server_core=0, generator_core=1, workers=1,
                 clients_max=20000, options=(), keys=None):
        self.build = Path(build)
        # ringway, openvpn, or HOST:PORT of one that runs elsewhere.
        self.server_kind = server
        self.server_core, self.generator_core = server_core, generator_core
        self.workers = workers
        self.clients_max = clients_max
        self.options = list(options)
        # For a server elsewhere: files by name (ca, cert, key, tls-crypt or tls-auth), and echo,
        # the list of addresses where the echo is reached.
        self.keys = keys
        self.namespaces = Namespaces('loadgen')
        self.server = None
        self.echo = None
        self.generators = []

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix='ringway-loadgen-')
        self.work = Path(self.folder.name)
        self.work.chmod(0o755)
        self.namespaces.__enter__()
        try:
            self._build_network()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for generator in self.generators:
            generator.close()
        self.generators.clear()
        for process in (self.server, self.echo):
            if process:
                process.stop()
        self.namespaces.__exit__()
        self.folder.cleanup()

    def _build_network(self):
        ns = self.namespaces
        if not self.is_local:
            self.generator_ns = self.server_ns = None
            return
        pki.make(self.work, 1)
        self.generator_ns, self.server_ns = ns.add('generator'), ns.add('server')
        self.inet_ns = ns.add('inet')
        ns.veth((self.generator_ns, 'outside', ['192.0.2.2/24', '2001:db8::2/64']),
                (self.server_ns, 'outside', ['192.0.2.1/24', '2001:db8::1/64']))
        ns.veth((self.inet_ns, 'inside', ['10.9.0.2/24', 'fd00:9::2/64']),
                (self.server_ns, 'inside', ['10.9.0.1/24', 'fd00:9::1/64']))
        ns.forward(self.server_ns)
        ns.route(self.inet_ns, '10.8.0.0/16', 'via', '10.9.0.1')
        ns.route(self.inet_ns, 'fd00:8::/64', 'via', 'fd00:9::1')
        ns.sysctl_if_there(self.generator_ns, 'net.ipv4.ip_local_port_range=1024 65535')
        self.echo = Process([self.loadgen, 'echo'], namespace=self.inet_ns, name='echo',
                            core=self.generator_core, log=self.work / 'echo.log')

    def take_cost(self):
        return self.cost.take() if self.server else {}

    def end_server(self, number):
        self.server.signal(number)
        self.server.popen.wait(10)

    def hurry(self, *pids):
        for pid in pids:
            os.sched_setscheduler(pid, os.SCHED_FIFO, os.sched_param(50))

    @property
    def is_local(self):
        return self.server_kind in SERVERS

    @property
    def loadgen(self):
        return self.build / 'perf/src/loadgen/ringway-loadgen'

    def start_server(self):
        """From nothing to listening; what ran before is ended first. Nothing for a server that is
        not the lab's."""
        if not self.is_local:
            return None
        if self.server:
            self.server.stop()
        config = self.work / 'server.conf'
        config.write_text('\n'.join(self._config()) + '\n')
        log = self.work / 'server.log'
        log.write_text('')
        if self.server_kind == 'ringway':
            command = [self.build / 'tools/ringway', 'server', config, '--workers', self.workers]
        else:
            command = ['openvpn', '--config', config]
        self.server = Process(command, namespace=self.server_ns, name=self.server_kind,
                              core=self.server_core, log=log)
        self.server.wait_for_log('is ready' if self.server_kind == 'ringway' else
                                 'Initialization Sequence Completed')
        self._wait_for_the_way()
        self.cost = ServerCost(self.server.pid)
        return self.server

    def _wait_for_the_way(self):
        """Fresh links find their neighbours in a second or so, which is not the server's."""
        for address in OUTER_SERVER:
            command = inside(self.generator_ns, 'ping', '-c', '1', '-W', '1', address)
            wait_for(10, f'{address} answers', lambda words=command: _succeeds(words))

    def _config(self):
        is_ringway = self.server_kind == 'ringway'
        lines = [f'port {PORT}', f'proto {"udp" if is_ringway else "udp6"}', 'dev tun0',
                 'topology subnet', 'server 10.8.0.0 255.255.0.0', 'server-ipv6 fd00:8::/64',
                 f'ca {self.work}/ca.crt', f'cert {self.work}/server.crt',
                 f'key {self.work}/server.key', 'dh none', f'tls-crypt {self.work}/ta.key',
                 'data-ciphers AES-256-GCM:CHACHA20-POLY1305', 'duplicate-cn',
                 f'max-clients {self.clients_max}', 'connect-freq-initial 1000000 1',
                 'tls-groups X25519:secp256r1', 'verb 1' if not is_ringway else 'verb 3']
        if not is_ringway:
            # Neither server's log is to be what is measured: stock is silent but for its start,
            # which is what `verb 2` has at the least.
            lines[-1] = 'verb 2'
            lines += ['multihome', 'persist-tun', 'txqueuelen 1000', 'sndbuf 2097152',
                      'rcvbuf 2097152']
        else:
            # All clients come from one address.
            lines.append('connect-freq-source 0 1')
        if not any(option.startswith('keepalive') for option in self.options):
            # Long, so that keep-alive is no part of what is measured.
            lines.append('keepalive 60 600')
        lines.append('status-version 3')
        return lines + self.options

    def generator(self, clients, servers=None):
        command = [self.loadgen, '--clients', clients]
        if self.is_local:
            addresses = servers or OUTER_SERVER
            servers = [f'[{host}]:{PORT}' if ':' in host else f'{host}:{PORT}'
                       for host in addresses]
            keys = {name: self.work / file for name, file in (
                ('ca', 'ca.crt'), ('cert', 'client1.crt'), ('key', 'client1.key'),
                ('tls-crypt', 'ta.key'))}
            echoes = ECHO
        else:
            servers, keys = [self.server_kind], dict(self.keys or {})
            echoes = keys.pop('echo', None) or []
        command += [word for server in servers for word in ('--server', server)]
        command += [word for echo in echoes for word in ('--echo', echo)]
        command += [word for name, file in keys.items() if file for word in (f'--{name}', file)]
        made = Generator(command, self.generator_ns, self.generator_core,
                         self.work / f'generator{len(self.generators)}.log')
        self.generators.append(made)
        return made

    def stop_generators(self):
        for generator in self.generators:
            generator.close()
        self.generators.clear()

    def bytes_by_worker(self):
        """What each worker's clients have sent and received: worker = peer id % workers."""
        self.counters()
        sums = [0] * self.workers
        for line in self.last_status.splitlines():
            fields = line.split('\t')
            if fields[0] == 'CLIENT_LIST' and fields[11].isdigit():
                sums[int(fields[11]) % self.workers] += int(fields[5]) + int(fields[6])
        return sums

    def counters(self):
        """What Ringway has counted, by name: SIGUSR2 writes it to the log."""
        if self.server_kind != 'ringway':
            return {}
        log = self.work / 'server.log'
        before = log.stat().st_size
        self.server.signal(signal.SIGUSR2)

        def text():
            with open(log, errors='replace') as file:
                file.seek(before)
                found = file.read()
            return found if 'END\n' in found else None
        report = wait_for(10, 'the server reports its counters', text)
        time.sleep(0.1)
        with open(log, errors='replace') as file:
            file.seek(before)
            report = file.read()
        self.last_status, _, counted = report.partition('END\n')
        return parse_counters(counted)


def _succeeds(words):
    return subprocess.run(words, capture_output=True).returncode == 0


def parse_counters(text):
    """Lines of "title: name 3, name 1" -> {title: {name: 3, ...}}."""
    counters = {}
    for line in text.splitlines():
        title, colon, rest = line.partition(': ')
        words = [part.split() for part in rest.split(', ')]
        if colon and all(len(pair) == 2 and pair[1].isdigit() for pair in words):
            counters[title] = {name: int(count) for name, count in words}
    return counters

"""The network of perf/compare.

  client1 --- veth (outer) ---.
  client2 --- veth (outer) --- server --- veth (inner) --- inet
  clientN --- veth (outer) ---'

MTU 1500 everywhere. Outside 192.0.2.0/24 and 2001:db8::/64; behind the server 10.99.0.0/24. The
server has core 0 for itself; clients, generators and sinks share core 1.
"""

import fcntl
from pathlib import Path

from lib.namespaces import Namespaces
from lib.shell import LabError, run

SERVER_CORE = 0
OTHERS_CORE = 1
SERVER_V4, SERVER_V6 = '192.0.2.1', '2001:db8::1'
INET_V4 = '10.99.0.2'
INET_NET = '10.99.0.0/24'
TUNNEL_NET = '10.8.0.0/24'

# What OpenVPN may ask for with sndbuf and rcvbuf; its share of the limits of this kernel is small.
BUFFER_MAX = 4 << 20


class BufferLimits:
    """Raises the host's limits for socket buffers while the lab runs, so that no peer is held back
    by a default that every operator's guide tells to raise. What they were is kept in a file: a lab
    that was killed leaves it to the next one to put them back."""

    LIMITS = {name: Path(f'/proc/sys/net/core/{name}') for name in ('rmem_max', 'wmem_max')}
    KEPT = Path('/run/ringway-compare-limits')
    LOCK = Path('/run/ringway-compare-lock')

    def __enter__(self):
        # Two labs on the same cores would measure each other.
        self.lock = open(self.LOCK, 'w')
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise LabError('another perf/compare is running on this machine') from None
        if self.KEPT.exists():
            self._restore()
        now = {name: int(file.read_text()) for name, file in self.LIMITS.items()}
        self.KEPT.write_text(''.join(f'{name} {value}\n' for name, value in now.items()))
        for name, file in self.LIMITS.items():
            file.write_text(str(max(now[name], BUFFER_MAX)))
        return self

    def __exit__(self, *_):
        self._restore()
        self.lock.close()

    def _restore(self):
        for line in self.KEPT.read_text().splitlines():
            name, value = line.split()
            self.LIMITS[name].write_text(value)
        self.KEPT.unlink()


class Topology(Namespaces):
    """The namespaces `server`, `inet` and `clients[0..]`, linked and routed."""

    def __init__(self, client_count, lab='compare'):
        super().__init__(lab)
        self.client_count = client_count
        self.clients = []

    def __enter__(self):
        super().__enter__()
        try:
            self._build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _build(self):
        self.server = self.add('server')
        self.inet = self.add('inet')
        self.forward(self.server)
        self.veth((self.server, 'inner', ['10.99.0.1/24']),
                  (self.inet, 'inner', [f'{INET_V4}/24']))
        self.route(self.inet, 'default', 'via', '10.99.0.1')
        for number in range(1, self.client_count + 1):
            self.clients.append(self._add_client(number))
        for namespace in (self.inet, *self.clients):
            self.sysctl_if_there(namespace, 'net.ipv4.tcp_congestion_control=cubic')
        self.offloads = True
        self.set_offloads(True)

    def _add_client(self, number):
        client = self.add(f'client{number}')
        outer = f'client{number}'
        self.veth((self.server, outer, []),
                  (client, 'outer', [f'{client_v4(number)}/24', f'{client_v6(number)}/64']))
        run('ip', '-n', self.server, 'address', 'add', SERVER_V4, 'peer', client_v4(number),
            'dev', outer)
        run('ip', '-n', self.server, 'address', 'add', f'{SERVER_V6}/128', 'dev', outer, 'nodad')
        self.route(self.server, client_v6(number), 'dev', outer, 'src', SERVER_V6)
        return client

    def set_offloads(self, on):
        super().set_offloads(on)
        self.offloads = on


def client_v4(number):
    return f'192.0.2.{10 + number}'


def client_v6(number):
    return f'2001:db8::{10 + number:x}'


def server_address(family):
    return SERVER_V6 if family == 6 else SERVER_V4

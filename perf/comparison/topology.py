"""The network of perf/compare.

  client1 --- veth (outer) ---.
  client2 --- veth (outer) --- server --- veth (inner) --- inet
  clientN --- veth (outer) ---'

MTU 1500 everywhere. Outside 192.0.2.0/24 and 2001:db8::/64; behind the server 10.99.0.0/24. The
server has core 0 for itself; clients, generators and sinks share core 1.
"""

from pathlib import Path

from lib.namespaces import Namespaces
from lib.shell import run

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
    by a default that every operator's guide tells to raise."""

    FILES = ('/proc/sys/net/core/rmem_max', '/proc/sys/net/core/wmem_max')

    def __enter__(self):
        self.before = {}
        for name in self.FILES:
            file = Path(name)
            if file.exists() and int(file.read_text()) < BUFFER_MAX:
                self.before[file] = file.read_text()
                file.write_text(str(BUFFER_MAX))
        return self

    def __exit__(self, *_):
        for file, value in self.before.items():
            file.write_text(value)


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

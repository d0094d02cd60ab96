"""Network namespaces and the links between them, with an end that is certain.

Names are <lab>-<pid>-<name>, so that any number of labs run beside each other, and so that what a
killed run left behind is known by its dead process and removed by the next one.
"""

import fcntl
import os
import re
import signal
import sys
import tempfile
from pathlib import Path

from .shell import LabError, is_alive, require_root, run

# What lets a veth carry super-packets whole. Without them each packet crosses by itself, cut and
# summed by the sending kernel, as on a wire.
OFFLOADS = ('tso', 'gso', 'gro', 'tx-udp-segmentation')


def exit_on_signals():
    """SIGTERM and SIGINT unwind the stack, so that every `with` cleans up."""
    def leave(number, _frame):
        sys.exit(128 + number)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, leave)


class Namespaces:
    """The namespaces of one lab. Use as a context manager."""

    def __init__(self, lab):
        self.lab = lab
        self.prefix = f'{lab}-{os.getpid()}-'
        self.names = []
        self.links = []

    def __enter__(self):
        require_root()
        exit_on_signals()
        self.remove_leftovers()
        return self

    def __exit__(self, *_):
        for name in reversed(self.names):
            remove_namespace(name)
        self.names.clear()
        self.links.clear()

    def remove_leftovers(self):
        """A run that was killed could not clean up: its namespaces name a process that is gone."""
        for name in Path('/run/netns').glob(f'{self.lab}-*-*'):
            owner = re.match(rf'{re.escape(self.lab)}-(\d+)-', name.name)
            if owner and not is_alive(owner[1]):
                remove_namespace(name.name)

    def add(self, name):
        """Makes a namespace with both families switched on, and returns its full name."""
        full = self.prefix + name
        # The first `ip netns add` of a boot remounts /run/netns; two at once may fail at that.
        with open(Path(tempfile.gettempdir()) / 'ringway-netns.lock', 'w') as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            run('ip', 'netns', 'add', full)
        self.names.append(full)
        run('ip', '-n', full, 'link', 'set', 'lo', 'up')
        self.sysctl(full, 'net.ipv6.conf.all.disable_ipv6=0',
                    'net.ipv6.conf.default.disable_ipv6=0', 'net.ipv6.conf.default.accept_dad=0')
        return full

    def sysctl(self, namespace, *settings):
        run('ip', 'netns', 'exec', namespace, 'sysctl', '-qw', *settings)

    def sysctl_if_there(self, namespace, *settings):
        for setting in settings:
            run('ip', 'netns', 'exec', namespace, 'sysctl', '-qw', setting, check=False)

    def forward(self, namespace):
        self.sysctl(namespace, 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1')

    def veth(self, left, right, mtu=1500):
        """Joins two ends, each (namespace, device, [addresses with prefix length])."""
        (left_ns, left_device, _), (right_ns, right_device, _) = left, right
        run('ip', '-n', left_ns, 'link', 'add', left_device, 'mtu', mtu, 'type', 'veth',
            'peer', 'name', right_device, 'mtu', mtu, 'netns', right_ns)
        for namespace, device, addresses in (left, right):
            for address in addresses:
                options = ['nodad'] if ':' in address else []
                run('ip', '-n', namespace, 'address', 'add', address, 'dev', device, *options)
            run('ip', '-n', namespace, 'link', 'set', device, 'up')
            self.links.append((namespace, device))

    def route(self, namespace, *words):
        family = ['-6'] if any(':' in str(word) for word in words) else []
        run('ip', *family, '-n', namespace, 'route', 'replace', *words)

    def set_offloads(self, on):
        """Switches TSO, GSO, GRO and USO of every veth; off is "wire-true"."""
        state = 'on' if on else 'off'
        for namespace, device in self.links:
            words = [word for feature in OFFLOADS for word in (feature, state)]
            # A veth's GRO starts NAPI, which its driver leaves off by default: off in both modes.
            words[words.index('gro') + 1] = 'off'
            run('ip', 'netns', 'exec', namespace, 'ethtool', '-K', device, *words)

    def device_counters(self, namespace, device):
        """rx/tx bytes, packets and drops of a device, as ints."""
        names = ('rx_bytes', 'rx_packets', 'rx_dropped', 'tx_bytes', 'tx_packets', 'tx_dropped')
        # Reading sysfs needs a mount of the namespace's own; /proc/net/dev does not.
        text = run('ip', 'netns', 'exec', namespace, 'cat', '/proc/net/dev')
        for line in text.splitlines():
            name, _, rest = line.partition(':')
            if name.strip() == device:
                fields = [int(field) for field in rest.split()]
                return dict(zip(names, (fields[0], fields[1], fields[3],
                                        fields[8], fields[9], fields[11])))
        raise LabError(f'no device {device} in {namespace}')


def inside(namespace, *command):
    """The words that run a command in a namespace; `ip netns exec` leaves no process between."""
    return ['ip', 'netns', 'exec', namespace, *command] if namespace else list(command)


def remove_namespace(name):
    for pid in run('ip', 'netns', 'pids', name, check=False).split():
        try:
            os.kill(int(pid), signal.SIGKILL)
        except ProcessLookupError:
            pass
    run('ip', 'netns', 'delete', name, check=False)

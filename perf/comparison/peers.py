"""The VPNs that are compared: how each is configured, started and recognised as up.

Every peer gets what its operators would give it: buffers, queue lengths, an MTU with which nothing
is fragmented. OpenVPN's `mssfix 1492` needs the word `mtu`, without which it leaves the outer
header out of the sum and every full packet goes in two fragments.
"""

import os
import re
import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lib import packages, pki
from lib.processes import ProcessSet
from lib.shell import LabError, run, wait_for

from .topology import (INET_NET, INET_V4, OTHERS_CORE, SERVER_CORE, Topology,
                       server_address)

PORT = 1194
# Inside, for the peers without mssfix: outer 1500, less the outer headers and 32 bytes, which is
# WireGuard's overhead; OpenVPN's `mssfix 1492 mtu` comes to the same segments.
TUNNEL_MTU = {4: 1440, 6: 1420}


@dataclass
class Tools:
    """The programs that were built."""
    ringway: Path
    floor: Path
    flood: Path
    pinger: Path


@dataclass
class Setting:
    """Where and how a peer is to run."""
    lab: Topology
    tools: Tools
    family: int = 4
    clients: int = 1
    # The share of its core that the server may use, or None.
    quota: float | None = None


class Tunnel:
    """A peer that is running: its server, its clients, and where they are."""

    def __init__(self, setting):
        self.lab = setting.lab
        self.flood = setting.tools.flood
        self.pinger = setting.tools.pinger
        self.quota = setting.quota
        self.running = ProcessSet()
        self.server = None
        self.server_device = None
        self.clients = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.running.close()

    def start_server(self, command, name, **options):
        self.group = self.running.group('ringway-compare', self.quota)
        log = self.lab.folder / f'{name}-server.log'
        log.unlink(missing_ok=True)
        self.server = self.running.start(command, name=name, namespace=self.lab.server,
                                         core=SERVER_CORE, group=self.group, log=log, **options)

    def start_client(self, number, command, name, **options):
        log = self.lab.folder / f'{name}-client{number + 1}.log'
        log.unlink(missing_ok=True)
        self.clients.append(self.running.start(
            command, name=f'{name} client', namespace=self.lab.clients[number], core=OTHERS_CORE,
            log=log, **options))

    def wait_for_device(self, namespace, process, pattern):
        """The name of the device that a process made."""
        def found():
            if not process.running:
                raise LabError(f'{process.name} ended at its start:\n{process.log_tail()}')
            text = run('ip', '-n', namespace, '-o', 'link', 'show')
            match = re.search(rf'\d+: ({pattern})[:@]', text)
            return match[1] if match else None
        return wait_for(15, f'{process.name} makes its device', found)

    def wait_for_server_port(self):
        def listens():
            if not self.server.running:
                raise LabError(f'{self.server.name} ended:\n{self.server.log_tail()}')
            return run('ip', 'netns', 'exec', self.lab.server, 'ss', '-Huln',
                       f'sport = :{PORT}').strip()
        wait_for(15, f'{self.server.name} listens', listens)

    def wait_until_up(self):
        """Every client reaches the Internet behind the server."""
        for number, process in enumerate(self.clients):
            def answers():
                if not process.running:
                    raise LabError(f'{process.name} ended:\n{process.log_tail()}')
                if not self.server.running:
                    raise LabError(f'{self.server.name} ended:\n{self.server.log_tail()}')
                return '1 received' in run('ip', 'netns', 'exec', self.lab.clients[number], 'ping',
                                           '-n', '-c', 1, '-W', 1, INET_V4, check=False)
            try:
                wait_for(20, f'client {number + 1} reaches {INET_V4}', answers, interval=0.1)
            except LabError as error:
                raise LabError(f'{error}\nclient: {process.log_tail(6)}\n'
                               f'server: {self.server.log_tail(6)}') from None

    def client_address(self, number):
        """Inside the tunnel."""
        text = run('ip', 'netns', 'exec', self.lab.clients[number], 'ip', '-4', 'route', 'get',
                   INET_V4)
        return re.search(r'src (\S+)', text)[1]


class Floor:
    """No cryptography: what moving packets costs. `single` moves one a system call."""

    def __init__(self, name, offloads, threads=1, limit_clients=1):
        self.name = name
        self.options = ['--offloads', 'on' if offloads else 'off', '--threads', threads]
        self.offloads = offloads
        self.clients_max = limit_clients

    def start(self, setting):
        tunnel = Tunnel(setting)
        lab, tools = setting.lab, setting.tools
        try:
            device = 'floor0'
            tunnel.start_server([tools.floor, '--listen', PORT, '--tun', device, *self.options],
                                self.name)
            tunnel.wait_for_device(lab.server, tunnel.server, device)
            tunnel.start_client(0, [tools.floor, '--connect', server_address(setting.family),
                                    '--port', PORT, '--tun', device, *self.options], self.name)
            tunnel.wait_for_device(lab.clients[0], tunnel.clients[0], device)
            tunnel.server_device = device
            for namespace, address in ((lab.server, '10.8.0.1/24'),
                                       (lab.clients[0], '10.8.0.2/24')):
                configure(namespace, device, address, TUNNEL_MTU[setting.family])
            lab.route(lab.clients[0], INET_NET, 'dev', device)
            tunnel.wait_until_up()
        except BaseException:
            tunnel.running.close()
            raise
        return tunnel


def configure(namespace, device, address, mtu):
    run('ip', '-n', namespace, 'address', 'add', address, 'dev', device)
    # The largest super-packet and its overhead do not fit in one UDP send. A lower gso_max_size of
    # the device is no remedy: what is forwarded and larger, the kernel cuts to single packets.
    run('ip', '-n', namespace, 'link', 'set', device, 'mtu', mtu, 'txqueuelen', 1000, 'up')


class WireguardGo:
    """wireguard-go, configured over its UAPI socket, so that wireguard-tools is not needed."""

    name = 'wireguard-go'
    clients_max = 200

    def start(self, setting):
        packages.require_wireguard_go()
        tunnel = Tunnel(setting)
        try:
            self._start(tunnel, setting)
        except BaseException:
            tunnel.running.close()
            raise
        return tunnel

    def _start(self, tunnel, setting):
        lab, clients, family = setting.lab, setting.clients, setting.family
        keys = [x25519_pair() for _ in range(clients + 1)]
        mtu = TUNNEL_MTU[family]
        # The sockets of all namespaces are in one folder: the names have to differ.
        stem = f'w{os.getpid()}'
        device = f'{stem}s'
        tunnel.start_server(['wireguard-go', '-f', device], self.name)
        tunnel.wait_for_device(lab.server, tunnel.server, device)
        tunnel.server_device = device
        lines = [f'private_key={keys[0][0]}', f'listen_port={PORT}']
        for number in range(clients):
            lines += [f'public_key={keys[number + 1][1]}', f'allowed_ip=10.8.0.{number + 2}/32']
        uapi_set(device, lines)
        configure(lab.server, device, '10.8.0.1/24', mtu)
        for number in range(clients):
            name = f'{stem}c{number}'
            tunnel.start_client(number, ['wireguard-go', '-f', name], self.name)
            tunnel.wait_for_device(lab.clients[number], tunnel.clients[number], name)
            host = server_address(family)
            endpoint = f'[{host}]:{PORT}' if family == 6 else f'{host}:{PORT}'
            uapi_set(name, [f'private_key={keys[number + 1][0]}', f'public_key={keys[0][1]}',
                            f'endpoint={endpoint}', 'allowed_ip=0.0.0.0/0'])
            configure(lab.clients[number], name, f'10.8.0.{number + 2}/24', mtu)
            lab.route(lab.clients[number], INET_NET, 'dev', name)
        tunnel.wait_until_up()


def x25519_pair():
    """(private, public) in hexadecimal: the last 32 bytes of OpenSSL's DER forms."""
    def openssl(*words, stdin=None):
        return subprocess.run(['openssl', *words], input=stdin, capture_output=True,
                              check=True).stdout
    private = openssl('genpkey', '-algorithm', 'X25519', '-outform', 'DER')
    public = openssl('pkey', '-inform', 'DER', '-pubout', '-outform', 'DER', stdin=private)
    return private[-32:].hex(), public[-32:].hex()


def uapi_set(device, lines):
    path = f'/var/run/wireguard/{device}.sock'
    wait_for(5, f'{path} is there', lambda: Path(path).exists())
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        connection.sendall(('set=1\n' + '\n'.join(lines) + '\n\n').encode())
        answer = connection.recv(4096).decode()
    if 'errno=0' not in answer:
        raise LabError(f'wireguard-go refused its configuration: {answer.strip()}')


class Openvpn:
    """An OpenVPN server with OpenVPN clients, either of which may be Ringway."""

    clients_max = 200

    def __init__(self, name, cipher, server, client, extra=()):
        self.name = name
        self.cipher = cipher
        self.server_kind = server
        self.client_kind = client
        self.extra = list(extra)

    def start(self, setting):
        tunnel = Tunnel(setting)
        try:
            self._start(tunnel, setting)
        except BaseException:
            tunnel.running.close()
            raise
        return tunnel

    def _start(self, tunnel, setting):
        lab, tools, family = setting.lab, setting.tools, setting.family
        folder = lab.folder
        config = folder / f'{self.name}-server.conf'
        config.write_text(self._server_config(folder, family))
        if self.server_kind == 'ringway':
            command = [tools.ringway, 'server', config, '--workers', 1]
        else:
            command = ['openvpn', '--config', config]
        tunnel.start_server(command, self.name, cwd=folder)
        tunnel.wait_for_server_port()
        tunnel.server_device = tunnel.wait_for_device(lab.server, tunnel.server, 'tun0')
        for number in range(setting.clients):
            profile = folder / f'{self.name}-client{number + 1}.ovpn'
            profile.write_text(self._profile(folder, family, number + 1))
            words = ([tools.ringway, 'client', profile] if self.client_kind == 'ringway'
                     else ['openvpn', '--config', profile])
            tunnel.start_client(number, words, self.name, cwd=folder)
        tunnel.wait_until_up()

    def _server_config(self, folder, family):
        # Without Ringway, `udp` is IPv4 alone: stock gets the family that is measured, which
        # spares it what dual stack costs.
        proto = 'udp' if self.server_kind == 'ringway' else f'udp{family}'
        lines = [f'port {PORT}', f'proto {proto}', 'dev tun0', 'topology subnet',
                 'server 10.8.0.0 255.255.255.0', f'ca {folder}/ca.crt',
                 f'cert {folder}/server.crt',
                 f'key {folder}/server.key', 'dh none', f'tls-crypt {folder}/ta.key',
                 'keepalive 10 60', f'data-ciphers {self.cipher}', 'mssfix 1492 mtu',
                 'push "route 10.99.0.0 255.255.255.0"', 'verb 3', *self.extra]
        if self.server_kind == 'openvpn':
            lines += ['sndbuf 2097152', 'rcvbuf 2097152', 'txqueuelen 1000']
        return '\n'.join(lines) + '\n'

    def _profile(self, folder, family, number):
        lines = ['client', 'dev tun0', f'remote {server_address(family)} {PORT} udp{family}',
                 'nobind', 'remote-cert-tls server', f'data-ciphers {self.cipher}',
                 'mssfix 1492 mtu', 'connect-retry 1', 'verb 3']
        if self.client_kind == 'openvpn':
            lines += ['sndbuf 2097152', 'rcvbuf 2097152', 'txqueuelen 1000']
        return '\n'.join(lines) + '\n' + pki.inline(folder, f'client{number}')


AES, CHACHA = 'AES-256-GCM', 'CHACHA20-POLY1305'


def all_peers():
    """By name, in the order of the tables."""
    peers = [
        Openvpn('ringway-aes', AES, 'ringway', 'ringway'),
        Openvpn('ringway-chacha', CHACHA, 'ringway', 'ringway'),
        Openvpn('ringway-stock', AES, 'ringway', 'openvpn'),
        Openvpn('openvpn', AES, 'openvpn', 'openvpn'),
        Openvpn('openvpn-chacha', CHACHA, 'openvpn', 'openvpn'),
        WireguardGo(),
        Floor('floor', offloads=True),
        Floor('floor-single', offloads=False, threads=2),
        Floor('floor-poll', offloads=False, threads=1),
    ]
    return {peer.name: peer for peer in peers}


def versions(tools):
    """Of everything that is measured."""
    found = {}
    if shutil.which('openvpn'):
        found['openvpn'] = run('openvpn', '--version', check=False).splitlines()[0]
    found['wireguard-go'] = packages.version_of('wireguard-go') or 'not installed'
    found['iperf3'] = run('iperf3', '--version', check=False).splitlines()[0]
    if Path(tools.ringway).exists():
        found['ringway'] = run(tools.ringway, '--version', check=False).strip()
    return found

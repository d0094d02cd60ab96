"""Which peer is measured with which work in which lab, how often and for how long."""

from dataclasses import dataclass

from . import workloads

# Gbit/s are limited by the shared core of clients and generators; the server's cost is not.
TUNNELS = ('ringway-aes', 'ringway-chacha', 'ringway-stock', 'openvpn', 'openvpn-chacha',
           'wireguard-go', 'floor')
CLIENTS_MANY = 8
QUOTA = 0.15

# Name -> (what it measures, the function of a tunnel and the seconds of a run).
WORKLOADS = {
    'up1': ('one TCP stream up', lambda t, s: workloads.tcp(t, 'up', 1, s)),
    'down1': ('one TCP stream down', lambda t, s: workloads.tcp(t, 'down', 1, s)),
    'up8': ('eight TCP streams up', lambda t, s: workloads.tcp(t, 'up', 8, s)),
    'down8': ('eight TCP streams down', lambda t, s: workloads.tcp(t, 'down', 8, s)),
    'udp1400-up': ('UDP, 1,400 bytes, up', lambda t, s: workloads.udp(t, 'up', 1400, s - 1)),
    'udp1400-down': ('UDP, 1,400 bytes, down', lambda t, s: workloads.udp(t, 'down', 1400, s - 1)),
    'udp64-up': ('UDP, 64 bytes, up', lambda t, s: workloads.udp(t, 'up', 64, s - 1)),
    'udp64-down': ('UDP, 64 bytes, down', lambda t, s: workloads.udp(t, 'down', 64, s - 1)),
    'rtt': ('idle RTT', lambda t, s: workloads.ping(t)),
    'rtt-up': ('RTT beside an upload', lambda t, s: workloads.loaded_ping(t, 'up', s)),
    'rtt-down': ('RTT beside a download', lambda t, s: workloads.loaded_ping(t, 'down', s)),
    'many-up': (f'{CLIENTS_MANY} clients, a TCP stream each, up',
                lambda t, s: workloads.tcp(t, 'up', 1, s, CLIENTS_MANY)),
    'many-down': (f'{CLIENTS_MANY} clients, a TCP stream each, down',
                  lambda t, s: workloads.tcp(t, 'down', 1, s, CLIENTS_MANY)),
}


@dataclass(frozen=True)
class Lab:
    """One way to set the lab up."""
    title: str
    offloads: bool = True
    family: int = 4
    clients: int = 1
    quota: float | None = None


LABS = {
    'on': Lab('offloads on: veth passes super-packets whole'),
    'wire': Lab('wire-true: no TSO, GSO, GRO or USO on any veth', offloads=False),
    'quota': Lab(f'offloads on, server limited to {QUOTA:.0%} of its core', quota=QUOTA),
    'rtt': Lab('offloads on, two clients', clients=2),
    'v6': Lab('offloads on, IPv6 outside', family=6),
    'many': Lab(f'offloads on, {CLIENTS_MANY} clients', clients=CLIENTS_MANY),
}


@dataclass(frozen=True)
class Item:
    """A lab, and what is measured there on which peers."""
    lab: str
    workloads: tuple
    peers: tuple
    repeats: int
    # Which bars need it; none for what is only reported.
    bars: tuple = ()


AES_PEERS = ('ringway-aes', 'openvpn', 'wireguard-go', 'floor')

BAR_ITEMS = (
    Item('on', ('up1', 'down1'), TUNNELS, 5, ('tcp1', 'speed', 'stock')),
    Item('on', ('up8', 'down8'), AES_PEERS, 5, ('tcp8',)),
    Item('wire', ('up1', 'down1'), AES_PEERS, 5, ('wire',)),
    Item('quota', ('up1',), ('ringway-stock', 'openvpn'), 5, ('stock',)),
    Item('rtt', ('rtt', 'rtt-up', 'rtt-down'), ('ringway-stock', 'ringway-aes', 'openvpn'), 5,
         ('rtt',)),
)
OTHER_ITEMS = (
    Item('on', ('up1', 'down1'), ('floor-single',), 2),
    Item('on', ('udp1400-up', 'udp1400-down', 'udp64-up', 'udp64-down'),
         ('ringway-aes', 'ringway-stock', 'openvpn', 'wireguard-go', 'floor'), 3),
    Item('v6', ('up1', 'down1'), AES_PEERS + ('ringway-stock',), 3),
    Item('many', ('many-up', 'many-down'), ('ringway-stock', 'openvpn'), 3),
)
BARS = ('tcp1', 'tcp8', 'speed', 'wire', 'stock', 'rtt')
# Everything that can be asked for with --labs, --peers and --workloads.
QUICK_ITEM = Item('on', ('up1', 'down1'), ('ringway-stock', 'openvpn', 'floor'), 1)


def choose(arguments):
    """The items that the arguments ask for."""
    if arguments.labs or arguments.workloads or arguments.peers:
        return _custom(arguments)
    if arguments.quick:
        items = [QUICK_ITEM]
    elif arguments.only == 'bars':
        items = [item for item in BAR_ITEMS if set(item.bars) & set(arguments.bars)]
    else:
        items = [item for item in (*BAR_ITEMS, *OTHER_ITEMS)
                 if not item.bars or set(item.bars) & set(arguments.bars)]
    return [_with_repeats(item, arguments.repeats) for item in items]


def _custom(arguments):
    labs = arguments.labs or ['on']
    repeats = arguments.repeats or (1 if arguments.quick else 5)
    peers = tuple(arguments.peers or TUNNELS)
    items = []
    for lab in labs:
        default = {'rtt': ('rtt', 'rtt-up', 'rtt-down'), 'quota': ('up1',),
                   'many': ('many-up', 'many-down')}.get(lab, ('up1', 'down1'))
        items.append(Item(lab, tuple(arguments.workloads or default), peers, repeats))
    return items


def _with_repeats(item, repeats):
    if not repeats:
        return item
    return Item(item.lab, item.workloads, item.peers, min(repeats, item.repeats), item.bars)


def rounds(items):
    """Lab by lab, round by round, the peers in turn: yields (lab, round, peer, workloads). Every
    other round has the peers in the opposite order."""
    for lab in dict.fromkeys(item.lab for item in items):
        here = [item for item in items if item.lab == lab]
        peers = list(dict.fromkeys(peer for item in here for peer in item.peers))
        for number in range(max(item.repeats for item in here)):
            for peer in peers if number % 2 == 0 else reversed(peers):
                wanted = dict.fromkeys(
                    name for item in here if peer in item.peers and number < item.repeats
                    for name in item.workloads)
                if wanted:
                    yield lab, number, peer, tuple(wanted)

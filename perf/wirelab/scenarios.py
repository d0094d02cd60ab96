"""What is measured: who sends, which way, how large, and how the network cards hand it over."""

from dataclasses import dataclass

# A train of 40 packets of 1,400 bytes is what fits into 64 KiB with room to spare.
TRAIN = 40
# Packets under way at once: enough that the server never runs dry, few enough that they fit into
# the socket buffers of every subject.
WINDOW = 256


@dataclass(frozen=True)
class Scenario:
    clients: int
    size: int
    direction: str  # 'up' or 'down'
    merged: bool
    inner: str = 'tcp'

    @property
    def mode(self):
        return 'merged' if self.merged else 'single'

    def __str__(self):
        kind = '' if self.inner == 'tcp' else f' {self.inner}'
        return f'{self.clients:,} × {self.size} B{kind} {self.direction}, {self.mode}'

    def fields(self):
        return {'clients': self.clients, 'size': self.size, 'direction': self.direction,
                'mode': self.mode, 'inner': self.inner}

    def command(self, options):
        """The generator's `run` line."""
        uso = self.merged if options.uso == 'auto' else options.uso == 'on'
        return ('run ' + ' '.join((
            f'direction={self.direction}', f'clients={self.clients}', f'size={self.size}',
            f'inner={self.inner}', f'train={TRAIN if self.merged else 1}',
            f'burst={1 if self.merged else options.burst}', f'outer-offloads={int(uso)}',
            f'inner-offloads={int(self.merged)}', f'window={options.window}',
            f'sample={options.sample}', f'ms={options.milliseconds}')))


def matrix(options):
    return [Scenario(clients, size, direction, mode == 'merged', options.inner)
            for mode in options.modes for direction in options.directions
            for size in options.sizes for clients in options.clients]

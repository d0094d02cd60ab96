"""The order of measurements: peers interleaved, disturbed runs repeated within bounds.

A machine drifts: its neighbours, its clock, its caches. Peers that are to be compared are therefore
measured in turn, round by round, not one after the other. A run is thrown away when processes
outside of the lab took more than `limit` of its wall time; it is repeated at most `repeats` times,
after which the last try is kept and marked. The criterion never looks at the result.
"""

from .cpu import CoreClock, ForeignClock


class Disturbance:
    """Decides which runs are thrown away, and counts them."""

    def __init__(self, limit=0.06, repeats=2):
        self.limit = limit
        self.repeats = repeats
        self.discarded = 0
        self.kept_disturbed = 0

    def undisturbed(self, measure):
        """Calls measure() -> dict until a run was left alone; adds foreign_cpu, core_busy,
        disturbed and tries to the dict."""
        tries = 0
        while True:
            tries += 1
            foreign, cores = ForeignClock().start(), CoreClock().start()
            row = measure()
            share = foreign.share()
            row.update(foreign_cpu=share, core_busy=cores.busy(), tries=tries,
                       disturbed=share > self.limit)
            if not row['disturbed'] or tries > self.repeats:
                self.kept_disturbed += row['disturbed']
                return row
            self.discarded += 1


def interleaved(peers, rounds):
    """(round, peer) in the order to measure. Every other round runs backwards, so that no peer is
    always first."""
    for number in range(rounds):
        ordered = list(peers) if number % 2 == 0 else list(reversed(peers))
        for peer in ordered:
            yield number, peer

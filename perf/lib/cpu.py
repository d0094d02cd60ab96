"""What CPU time was spent on: by the server under test, by each core, and by strangers.

A server's time is that of a control group when there are any (v1 cpuacct: nanoseconds; v2 cpu.stat:
microseconds), since that counts threads which ended and workers of the kernel that act for the
process. Else it is the sum over /proc/PID/task/*/schedstat, which is in nanoseconds too.
"""

import os
import time
from pathlib import Path

from .shell import LabError, is_alive

TICK_NS = 1_000_000_000 // os.sysconf('SC_CLK_TCK')


class CpuGroup:
    """A control group for one process and all that it starts: its CPU time, and a CPU quota.

    `quota` is the share of one core that it may use (0.15), or None for no limit. Without a limit
    the scheduler's own controller is left alone where it can be: a group competes with other tasks
    as if it were one of them.
    """

    PERIOD_US = 10_000

    def __init__(self, name, quota=None):
        self.name = f'{name}-{os.getpid()}'
        roots = [_v1_controller('cpuacct'), _v1_controller('cpu') if quota else None]
        if not any(roots):
            roots = [_v2_root()]
        self.folders = []
        for root in dict.fromkeys(root for root in roots if root):
            folder = root / self.name
            _remove_leftovers(root, name)
            try:
                folder.mkdir(exist_ok=True)
                self.folders.append(folder)
            except OSError:
                pass  # Not ours to write: schedstat does it then.
        if quota:
            self._set_quota(int(quota * self.PERIOD_US))

    @property
    def usable(self):
        return self._usage_file() is not None

    def enter(self):
        """For the child, before it becomes the program."""
        for folder in self.folders:
            (folder / 'cgroup.procs').write_text('0')

    def _set_quota(self, quota_us):
        for folder in self.folders:
            if (folder / 'cpu.cfs_quota_us').exists():
                (folder / 'cpu.cfs_period_us').write_text(str(self.PERIOD_US))
                (folder / 'cpu.cfs_quota_us').write_text(str(quota_us))
                return
            if (folder / 'cpu.stat').exists() and (folder.parent / 'cgroup.controllers').exists():
                (folder.parent / 'cgroup.subtree_control').write_text('+cpu')
                (folder / 'cpu.max').write_text(f'{quota_us} {self.PERIOD_US}')
                return
        raise LabError('no control group with a CPU quota can be made here')

    def _usage_file(self):
        for folder in self.folders:
            for name in ('cpuacct.usage', 'cpu.stat'):
                file = folder / name
                if not file.exists():
                    continue
                if name != 'cpu.stat' or 'usage_usec' in file.read_text():
                    return file
        return None

    def cpu_ns(self):
        file = self._usage_file()
        text = file.read_text()
        if file.name == 'cpuacct.usage':
            return int(text)
        return 1000 * int(text.split('usage_usec')[1].split()[0])

    def close(self):
        for folder in self.folders:
            for _ in range(50):
                try:
                    folder.rmdir()
                    break
                except OSError:
                    time.sleep(0.02)  # The kernel is still burying the last process.
        self.folders = []


def _remove_leftovers(root, name):
    """Groups of labs that were killed: their names end in the number of a dead process."""
    for folder in root.glob(f'{name}-*'):
        owner = folder.name.rsplit('-', 1)[1]
        if owner.isdigit() and not is_alive(owner):
            try:
                folder.rmdir()
            except OSError:
                pass  # Not empty yet: the next lab will see to it.


def process_cpu_ns(pid):
    """All threads of a process. Those that ended are in the tick-grained sum only, whichever is
    the larger of the two."""
    exact = 0
    for task in Path(f'/proc/{pid}/task').iterdir():
        try:
            exact += int((task / 'schedstat').read_text().split()[0])
        except OSError:
            pass
    fields = _stat_fields(pid)
    ticks = (int(fields[11]) + int(fields[12])) * TICK_NS
    return max(exact, ticks - TICK_NS) if ticks > exact + 2 * TICK_NS else exact


def rss_kib(pid):
    for line in Path(f'/proc/{pid}/status').read_text().splitlines():
        if line.startswith('VmRSS:'):
            return int(line.split()[1])
    return 0


def _stat_fields(pid):
    """From the state on: fields[0] is the third field of proc(5)."""
    return Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()


def _v1_controller(name):
    for line in Path('/proc/mounts').read_text().splitlines():
        _, where, kind, options, *_ = line.split()
        if kind == 'cgroup' and name in options.split(','):
            return Path(where)
    return None


def _v2_root():
    for line in Path('/proc/mounts').read_text().splitlines():
        _, where, kind, *_ = line.split()
        if kind == 'cgroup2':
            return Path(where)
    return None


class CoreClock:
    """Busy time of each core (user, system, interrupts) between start() and busy()."""

    def start(self):
        self.before = self._read()
        return self

    def busy(self):
        """The busy share of each core, {0: 0.93, ...}."""
        shares = {}
        for core, (busy, total) in self._read().items():
            was_busy, was_total = self.before.get(core, (0, 0))
            shares[core] = round((busy - was_busy) / max(total - was_total, 1), 3)
        return shares

    @staticmethod
    def _read():
        cores = {}
        for line in Path('/proc/stat').read_text().splitlines():
            if line.startswith('cpu') and line[3].isdigit():
                name, *fields = line.split()
                ticks = [int(field) for field in fields[:8]]
                cores[int(name[3:])] = (sum(ticks) - ticks[3] - ticks[4], sum(ticks))
        return cores


class ForeignClock:
    """CPU time of processes that are not the lab's, as a share of the wall time.

    Everything that does not descend from this process counts, kernel threads excepted: their work
    is mostly the lab's own. Short-lived strangers are found in the time that their parents
    inherited from them.
    """

    def start(self):
        self.began = time.monotonic_ns()
        self.before = self._ticks()
        return self

    def share(self):
        wall = time.monotonic_ns() - self.began
        after = self._ticks()
        # A process that was there before counts from then; what ended went into a parent's.
        spent = sum(after.values()) - sum(self.before.values())
        return round(max(spent, 0) * TICK_NS / wall, 3)

    @staticmethod
    def _ticks():
        parents, ticks = {}, {}
        for name in os.listdir('/proc'):
            if not name.isdigit():
                continue
            try:
                fields = _stat_fields(name)
            except OSError:
                continue
            pid = int(name)
            parents[pid] = int(fields[1])
            ticks[pid] = sum(int(field) for field in fields[11:15])
        ours = os.getpid()

        def is_ours(pid):
            while pid > 1:
                if pid == ours:
                    return True
                if pid == 2:
                    return True
                pid = parents.get(pid, 0)
            return False
        return {pid: count for pid, count in ticks.items() if not is_ours(pid)}

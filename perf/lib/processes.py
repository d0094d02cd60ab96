"""Programs under test and their helpers: started in a namespace on a core, ended by pid."""

import os
import signal
import subprocess
import time
from pathlib import Path

from . import cpu
from .namespaces import inside
from .shell import LabError, wait_for

# <sys/prctl.h>.
_PR_SET_PDEATHSIG = 1


class Process:
    """One running program. stop() or the end of `with` ends it; so does the death of the lab."""

    def __init__(self, command, *, name=None, namespace=None, core=None, log=None, group=None,
                 environment=None, cwd=None):
        """`core` is a number or a taskset list; `group` a cpu.CpuGroup that the process joins
        before it becomes the program; `log` a file for its output, or None for a pipe that is read
        by output()."""
        words = inside(namespace, *(str(word) for word in command))
        self.name = name or Path(str(command[0])).name
        self.log = Path(log) if log else None
        self.group = group
        cores = parse_cores(core)

        def before_exec():
            _die_with_parent()
            if cores:
                os.sched_setaffinity(0, cores)
            if group:
                group.enter()

        sink = open(self.log, 'ab') if self.log else subprocess.PIPE
        try:
            self.popen = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT,
                preexec_fn=before_exec, cwd=cwd, env={**os.environ, **(environment or {})})
        finally:
            if self.log:
                sink.close()
        self.pid = self.popen.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def running(self):
        return self.popen.poll() is None

    def cpu_ns(self):
        """CPU time since the start, all threads, those that ended included."""
        if self.group and self.group.usable:
            return self.group.cpu_ns()
        return cpu.process_cpu_ns(self.pid)

    def rss_kib(self):
        return cpu.rss_kib(self.pid)

    def output(self, timeout=60):
        """Waits for the end and returns what was printed."""
        try:
            text, _ = self.popen.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.stop()
            raise LabError(f'{self.name} did not end within {timeout} s') from None
        return (self.log.read_bytes() if self.log else text).decode(errors='replace')

    def log_tail(self, lines=15):
        if not self.log or not self.log.exists():
            return ''
        return '\n'.join(self.log.read_text(errors='replace').splitlines()[-lines:])

    def wait_for_log(self, text, seconds=20):
        """Waits until the log has `text`; if the program ends before, its last words are told."""
        def ready():
            if self.log.exists() and text in self.log.read_text(errors='replace'):
                return True
            if not self.running:
                raise LabError(f'{self.name} ended before it said "{text}":\n{self.log_tail()}')
            return False
        try:
            wait_for(seconds, f'{self.name} says "{text}"', ready)
        except LabError as error:
            if self.running:
                raise LabError(f'{error}\n{self.log_tail()}') from None
            raise

    def signal(self, number):
        if self.running:
            self.popen.send_signal(number)

    def stop(self, seconds=3):
        """SIGTERM, then SIGKILL."""
        if self.running:
            self.popen.terminate()
            try:
                self.popen.wait(seconds)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
        if self.popen.stdout:
            self.popen.stdout.close()
        return self.popen.returncode


class ProcessSet:
    """Processes that end together, the last one first."""

    def __init__(self):
        self.processes = []
        self.groups = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def start(self, command, **options):
        process = Process(command, **options)
        self.processes.append(process)
        return process

    def group(self, name, quota=None):
        made = cpu.CpuGroup(name, quota)
        self.groups.append(made)
        return made

    def close(self):
        # All are told at once, so that a hundred clients do not leave one after the other.
        for process in reversed(self.processes):
            process.signal(signal.SIGTERM)
        deadline = time.monotonic() + 3
        for process in reversed(self.processes):
            process.stop(max(0.05, deadline - time.monotonic()))
        self.processes.clear()
        for group in self.groups:
            group.close()
        self.groups.clear()


def parse_cores(text):
    """None, 0, "0", "0-3" or "0,2" -> a set of core numbers."""
    if text is None:
        return None
    cores = set()
    for part in str(text).split(','):
        first, _, last = part.partition('-')
        cores.update(range(int(first), int(last or first) + 1))
    return cores


def _die_with_parent():
    import ctypes
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

"""Running other programs, and the one error that ends a lab with a sentence instead of a trace."""

import os
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class LabError(Exception):
    """The world is not as the lab needs it. The text is for the person who started it."""


def run(*command, check=True, stdin=None, timeout=120):
    """Runs a command to its end and returns its standard output."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, input=stdin, capture_output=True, text=True, timeout=timeout)
    except FileNotFoundError:
        raise LabError(f'there is no {words[0]}: is perf/packages.txt installed?') from None
    except subprocess.TimeoutExpired:
        raise LabError(f'no end within {timeout} s: {" ".join(words)}') from None
    if check and done.returncode != 0:
        output = (done.stderr + done.stdout).strip()[-2000:]
        raise LabError(f'{" ".join(words)} failed ({done.returncode}): {output}')
    return done.stdout


def wait_for(seconds, what, condition, interval=0.02):
    """Tries until condition() is true; LabError at the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise LabError(f'not within {seconds} s: {what}')
        time.sleep(interval)


def is_alive(pid):
    """A killed process whose parent has not noticed yet is dead."""
    try:
        return Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()[0] not in 'ZX'
    except OSError:
        return False


def require_root():
    if os.geteuid() != 0:
        raise LabError('this lab makes network namespaces: run it as root')
    if not Path('/dev/net/tun').exists():
        raise LabError('/dev/net/tun is missing: modprobe tun')

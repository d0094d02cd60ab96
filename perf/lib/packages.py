"""Installs what perf/packages.txt and perf/packages-backports.txt name and this machine lacks."""

import os
import shutil
from pathlib import Path

from .shell import ROOT, LabError, run

BACKPORTS_LIST = Path('/etc/apt/sources.list.d/ringway-perf-backports.list')
BACKPORTS_SOURCE = 'deb http://deb.debian.org/debian bookworm-backports main\n'
# bookworm's own wireguard-go is of 2022 and has no GSO.
WIREGUARD_GO_MIN = '0.0.20231211'


def wanted(file):
    names = (line.split('#')[0].strip() for line in Path(file).read_text().splitlines())
    return [name for name in names if name]


def version_of(package):
    """The installed version, or None."""
    if not shutil.which('dpkg-query'):
        return None
    text = run('dpkg-query', '--show', '--showformat', '${db:Status-Status} ${Version}', package,
               check=False).split()
    return text[1] if len(text) == 2 and text[0] == 'installed' else None


def at_least(version, minimum):
    if version is None:
        return False
    try:
        run('dpkg', '--compare-versions', version, 'ge', minimum)
        return True
    except LabError:
        return False


def install(backports=True):
    """Both lists; a machine that has everything needs no network. RINGWAY_SKIP_INSTALL=1 leaves
    the machine alone."""
    if os.environ.get('RINGWAY_SKIP_INSTALL') or not shutil.which('apt-get'):
        return
    plain = [name for name in wanted(ROOT / 'perf' / 'packages.txt') if not version_of(name)]
    if plain:
        _apt('update')
        _apt('install', '--yes', '--no-install-recommends', *plain)
    if backports:
        _install_backports()


def _install_backports():
    names = [name for name in wanted(ROOT / 'perf' / 'packages-backports.txt')
             if not version_of(name)
             or name == 'wireguard-go' and not at_least(version_of(name), WIREGUARD_GO_MIN)]
    if not names:
        return
    if 'bookworm-backports' not in run('apt-cache', 'policy', check=False):
        BACKPORTS_LIST.write_text(BACKPORTS_SOURCE)
        _apt('update')
    _apt('install', '--yes', '--no-install-recommends', '-t', 'bookworm-backports', *names)


def _apt(*words):
    # The lock is waited for: unattended-upgrades holds it for a while after a machine's first boot.
    run('env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-qq', '-o', 'DPkg::Lock::Timeout=300',
        *words, timeout=900)


def require_wireguard_go():
    version = version_of('wireguard-go')
    if not shutil.which('wireguard-go'):
        raise LabError('there is no wireguard-go: apt-get install -t bookworm-backports '
                       'wireguard-go')
    if version is not None and not at_least(version, WIREGUARD_GO_MIN):
        raise LabError(f'wireguard-go {version} has no GSO: at least {WIREGUARD_GO_MIN}, from '
                       'bookworm-backports, is needed')
    return version or 'unknown'

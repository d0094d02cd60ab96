"""The release build that is measured: build-perf, in one piece for the optimiser (LTO)."""

import os
from pathlib import Path

from .shell import ROOT, run

FOLDER = ROOT / 'build-perf'
OPTIONS = ('--buildtype=release', '-Db_lto=true', '-Dtests=false', '-Dperf=true')


def build(*targets, folder=FOLDER):
    """Configures where needed, builds `targets` ('tools/ringway', 'perf/src/floor/floor'), and
    returns the folder. RINGWAY_SKIP_BUILD=1 takes what is there."""
    folder = Path(folder)
    if os.environ.get('RINGWAY_SKIP_BUILD'):
        return folder
    os.environ.setdefault('CCACHE_BASEDIR', str(ROOT))
    os.environ.setdefault('CCACHE_NOHASHDIR', '1')
    stamp = folder / '.options'
    wanted = ' '.join(OPTIONS)
    configured = (folder / 'build.ninja').exists()
    if not configured:
        run('meson', 'setup', folder, ROOT, *OPTIONS, timeout=300)
    elif not stamp.exists() or stamp.read_text() != wanted:
        run('meson', 'configure', folder, *OPTIONS, timeout=300)
    stamp.write_text(wanted)
    run('ninja', '-C', folder, *targets, timeout=3600)
    return folder

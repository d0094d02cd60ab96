"""Where results go: JSON lines under perf/results/, tables, sections of perf/RESULTS.md."""

import json
import os
import platform
import re
import shlex
import sys
import time
from pathlib import Path

from .shell import ROOT, run


def machine():
    """What somebody needs to know to compare their figures with these."""
    model, flags = platform.processor() or platform.machine(), set()
    for line in Path('/proc/cpuinfo').read_text().splitlines():
        key, _, value = line.partition(':')
        if key.strip() == 'model name':
            model = value.strip()
        elif key.strip() == 'flags':
            flags = set(value.split())
    memory_kib = int(re.search(r'MemTotal:\s+(\d+)', Path('/proc/meminfo').read_text())[1])
    return {
        'cpu': model, 'cores': os.cpu_count(), 'memory_gib': round(memory_kib / 2**20, 1),
        'kernel': platform.release(), 'virtual': 'hypervisor' in flags,
        'cpu_features': sorted(flags & {'aes', 'vaes', 'vpclmulqdq', 'avx2', 'avx512f'}),
        'os': _os_name(),
    }


def _os_name():
    text = Path('/etc/os-release').read_text()
    found = re.search(r'PRETTY_NAME="?([^"\n]+)', text)
    return found[1] if found else platform.system()


def commit():
    """The commit measured, "+changes" when the tree differs from it."""
    if not (ROOT / '.git').exists():
        return 'unknown'
    name = run('git', '-C', ROOT, 'rev-parse', '--short=12', 'HEAD', check=False).strip()
    dirty = run('git', '-C', ROOT, 'status', '--porcelain', '--untracked-files=no', check=False)
    return (name or 'unknown') + ('+changes' if dirty.strip() else '')


def command_line():
    script = os.path.relpath(os.path.realpath(sys.argv[0]), ROOT)
    return shlex.join([script, *sys.argv[1:]])


class Results:
    """One run of a lab: perf/results/<date>-<lab>/, with a header line and a line a measurement."""

    def __init__(self, lab, folder=None):
        self.lab = lab
        self.header = {'kind': 'run', 'lab': lab, 'date': time.strftime('%Y-%m-%dT%H:%M:%S%z'),
                       'command': command_line(), 'commit': commit(), 'machine': machine()}
        stamp = time.strftime('%Y-%m-%d-%H%M%S')
        self.folder = Path(folder) if folder else ROOT / 'perf' / 'results' / f'{stamp}-{lab}'
        self.folder.mkdir(parents=True, exist_ok=True)
        self.file = self.folder / f'{lab}.jsonl'
        self.rows = []
        self._append(self.header)

    def note(self, **facts):
        """Something about the whole run: versions, what was skipped and why."""
        self.header.update(facts)
        self._append({'kind': 'note', **facts})

    def add(self, **row):
        """One measurement. Written at once: a run that is broken off keeps what it has."""
        row = {'kind': 'row', 'at': time.strftime('%H:%M:%S'), **row}
        self.rows.append(row)
        self._append(row)
        return row

    def _append(self, row):
        with open(self.file, 'a') as sink:
            sink.write(json.dumps(row, ensure_ascii=False) + '\n')

    def write_text(self, name, text):
        (self.folder / name).write_text(text)

    def __str__(self):
        return str(self.folder)


def load(file):
    """(header, rows) of a JSON-lines file."""
    header, rows = {}, []
    for line in Path(file).read_text().splitlines():
        row = json.loads(line)
        if row.get('kind') == 'row':
            rows.append(row)
        else:
            header.update({key: value for key, value in row.items() if key != 'kind'})
    return header, rows


def table(columns, rows):
    """A Markdown table. Cells are texts already (stats.show)."""
    def line(cells):
        return '| ' + ' | '.join(str(cell) for cell in cells) + ' |'
    return '\n'.join([line(columns), line(['---'] * len(columns)), *(line(row) for row in rows)])


def provenance(header):
    """The lines that stand above every section of RESULTS.md."""
    m = header['machine']
    virtual = ', virtual machine' if m['virtual'] else ''
    features = ', '.join(m['cpu_features'])
    return (f'* Machine: {m["cpu"]}, {m["cores"]} cores, {m["memory_gib"]} GiB{virtual} '
            f'({features})\n'
            f'* System: {m["os"]}, Linux {m["kernel"]}\n'
            f'* Commit: `{header["commit"]}`, {header["date"]}\n'
            f'* Command: `{header["command"]}`\n')


def write_section(lab, title, body, file=None):
    """Replaces the lab's section of perf/RESULTS.md and leaves the others alone."""
    file = Path(file) if file else ROOT / 'perf' / 'RESULTS.md'
    text = file.read_text() if file.exists() else (
        '# Results\n\nThe last committed run of each lab. How to read the figures, and how to make'
        ' them again: [README.md](README.md).\n')
    begin, end = f'<!-- begin {lab} -->', f'<!-- end {lab} -->'
    section = f'{begin}\n## {title}\n\n{body.strip()}\n{end}'
    pattern = re.compile(re.escape(begin) + '.*?' + re.escape(end), re.S)
    if pattern.search(text):
        text = pattern.sub(lambda _: section, text)
    else:
        text = text.rstrip() + '\n\n' + section + '\n'
    file.write_text(text)

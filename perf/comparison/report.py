"""What a run of perf/compare says: tables, ratios, bars, pictures, a section of RESULTS.md."""

from lib import plots, results, stats

from .plan import LABS, WORKLOADS

RATIOS_TO = ('openvpn', 'wireguard-go', 'floor')


def _values(rows, lab, peer, workload, metric):
    return [row[metric] for row in rows
            if not row.get('failed') and (row['lab'], row['peer'], row['workload']) ==
            (lab, peer, workload) and row.get(metric) is not None]


def _in_order(rows, key, order=()):
    seen = dict.fromkeys(row[key] for row in rows)
    return [name for name in order if name in seen] + [name for name in seen if name not in order]


def tables(rows):
    """Markdown: for each lab, TCP, UDP and RTT."""
    parts = []
    for lab in _in_order(rows, 'lab', LABS):
        here = [row for row in rows if row['lab'] == lab]
        parts.append(f'### {LABS[lab].title[0].upper()}{LABS[lab].title[1:]}')
        for workload in _in_order(here, 'workload', WORKLOADS):
            parts.append(_table(here, lab, workload))
    return '\n\n'.join(parts)


def _table(rows, lab, workload):
    title = WORKLOADS[workload][0]
    peers = _in_order([row for row in rows if row['workload'] == workload], 'peer')
    columns, cells = ['peer'], []
    if workload.startswith('rtt'):
        metrics = [('p50 us', 'rtt_p50_us', 0, 1), ('p99 us', 'rtt_p99_us', 0, 1),
                   ('max us', 'rtt_max_us', 0, 1), ('loss %', 'loss', 2, 100)]
        if workload != 'rtt':
            metrics += [('p99 beside the tunnel, us', 'lab_p99_us', 0, 1),
                        ('bulk Gbit/s', 'bulk_gbit_s', 2, 1)]
    elif workload.startswith('udp'):
        metrics = [('delivered kpps', 'delivered_pps', 0, 1e-3),
                   ('server kpps', 'server_pps', 0, 1e-3), ('loss %', 'loss', 0, 100),
                   ('server ns/packet', 'ns_per_packet', 0, 1),
                   ('Gbit/CPU-s', 'gbit_per_cpu_s', 2, 1), ('reordered', 'reordered', 0, 1)]
    else:
        metrics = [('Gbit/s', 'gbit_s', 2, 1), ('Gbit/CPU-s', 'gbit_per_cpu_s', 2, 1),
                   ('server ns/packet', 'ns_per_packet', 0, 1)]
    columns += [name for name, *_ in metrics] + ['core 0 / 1 busy', 'RSS MiB', 'disturbed runs']
    for peer in peers:
        line = [peer]
        for _, metric, digits, scale in metrics:
            line.append(stats.show_spread(_values(rows, lab, peer, workload, metric), digits,
                                          scale))
        cells.append(line + _circumstances(rows, lab, peer, workload))
    return f'**{title[0].upper()}{title[1:]}**\n\n{results.table(columns, cells)}'


def _circumstances(rows, lab, peer, workload):
    busy = _values(rows, lab, peer, workload, 'core_busy')
    cores = '/'.join(stats.show(stats.median([each.get(core) for each in busy]))
                     for core in (0, 1)) if busy else '–'
    rss = stats.show_spread(_values(rows, lab, peer, workload, 'rss_kib')[-1:], 0, 1 / 1024)
    disturbed = _values(rows, lab, peer, workload, 'disturbed')
    return [cores, rss, f'{sum(disturbed)} of {len(disturbed)}']


def ratios(rows):
    """Gbit per server CPU-second of each peer as a multiple of the rivals'."""
    cells = []
    for lab in _in_order(rows, 'lab', LABS):
        for workload in _in_order([row for row in rows if row['lab'] == lab], 'workload',
                                  WORKLOADS):
            cells += _ratio_lines(rows, lab, workload)
    if not cells:
        return ''
    return results.table(['lab', 'work', 'peer', *(f'× {name}' for name in RATIOS_TO)], cells)


def _ratio_lines(rows, lab, workload):
    def middle(peer):
        return stats.median(_values(rows, lab, peer, workload, 'gbit_per_cpu_s'))
    lines = []
    for peer in _in_order(rows, 'peer'):
        if middle(peer) is not None and peer not in RATIOS_TO:
            lines.append([lab, workload, peer,
                          *(stats.show(stats.ratio(middle(peer), middle(rival)))
                            for rival in RATIOS_TO)])
    return lines


def pictures(rows, folder):
    for lab in _in_order(rows, 'lab', LABS):
        here = [row for row in rows if row['lab'] == lab and not row.get('failed')]
        tcp = [row for row in here if 'gbit_s' in row]
        _bars(tcp, lab, folder / f'{lab}-gbit-per-cpu-second',
              f'Gbit per server CPU-second; {LABS[lab].title}', 'gbit_per_cpu_s', 'Gbit / CPU-s')
        _bars(tcp, lab, folder / f'{lab}-gbit', f'Gbit/s end to end; {LABS[lab].title}', 'gbit_s',
              'Gbit/s')
        _bars([row for row in here if 'server_cpu_s' in row], lab, folder / f'{lab}-ns-per-packet',
              f'Server ns a packet; {LABS[lab].title}', 'ns_per_packet', 'ns', log=True)
        _bars([row for row in here if 'rtt_p99_us' in row], lab, folder / f'{lab}-rtt-p99',
              f'Round trip, p99; {LABS[lab].title}', 'rtt_p99_us', 'us', log=True)


def _bars(rows, lab, stem, title, metric, unit, log=False):
    if not rows:
        return
    works = _in_order(rows, 'workload', WORKLOADS)
    series = {peer: [stats.spread(_values(rows, lab, peer, work, metric)) for work in works]
              for peer in _in_order(rows, 'peer')}
    plots.bars(stem, title, unit, works, series, log)


def section(header, rows, verdicts):
    """The body of the section in perf/RESULTS.md."""
    parts = [results.provenance(header), _notes(header)]
    if verdicts:
        parts.append('### Bars\n\n```\n' + '\n'.join(v.line() for v in verdicts) + '\n```')
    if ratios(rows):
        parts.append(f'### Ratios of Gbit per server CPU-second\n\n{ratios(rows)}')
    parts.append(tables(rows))
    failures = [f'* {row["lab"]} {row["peer"]} {row["workload"]}: {row["failed"].splitlines()[0]}'
                for row in rows if row.get('failed')]
    if failures:
        parts.append('### What failed\n\n' + '\n'.join(dict.fromkeys(failures)))
    return '\n\n'.join(part for part in parts if part)


def _notes(header):
    versions = header.get('versions', {})
    lines = [f'* {name}: {version}' for name, version in versions.items()]
    if header.get('aead_ns'):
        figures = ', '.join(f'{name} {ns:.0f} ns' for name, ns in header['aead_ns'].items())
        lines.append(f'* AEAD, 1,400 bytes ({header["aead_source"]}): {figures}')
    if 'discarded' in header:
        lines.append(f'* {header["discarded"]} runs were thrown away because strangers took more '
                     f'than {header["foreign_limit"]:.0%} of their time; {header["disturbed"]} '
                     'such runs had to be kept')
    lines.append('* Cells are "median (minimum–maximum)".')
    return '\n'.join(lines)

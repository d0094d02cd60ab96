"""Pictures of results, as SVG and PNG. Without matplotlib there are none, and a line says so."""

import sys
from pathlib import Path

PALETTE = ('#1b5e8c', '#d9822b', '#4f9d69', '#8c4a8c', '#b23b3b', '#6b6b6b', '#c9a227', '#3aa6a6')


def _pyplot():
    try:
        import matplotlib
        matplotlib.use('Agg')
        # Text stays text in the SVG, and two runs of the same data give the same file.
        matplotlib.rcParams.update({'svg.fonttype': 'none', 'svg.hashsalt': 'ringway',
                                    'font.size': 9, 'axes.spines.top': False,
                                    'axes.spines.right': False, 'axes.grid': True,
                                    'grid.alpha': 0.3, 'axes.axisbelow': True})
        from matplotlib import pyplot
        return pyplot
    except ImportError:
        print('no pictures: python3-matplotlib is not installed', file=sys.stderr)
        return None


def _save(figure, stem):
    for kind in ('svg', 'png'):
        figure.savefig(Path(f'{stem}.{kind}'), dpi=130, bbox_inches='tight',
                       **({'metadata': {'Date': None}} if kind == 'svg' else {}))


def bars(stem, title, unit, groups, series, log=False):
    """Grouped bars with their spread. `groups` are the labels below; `series` is {name: [spread or
    None, one a group]}, a spread as stats.spread() makes it."""
    pyplot = _pyplot()
    if not pyplot or not groups or not series:
        return
    figure, axes = pyplot.subplots(figsize=(max(6.0, 1.1 + 0.28 * len(groups) * len(series)), 3.8))
    width = 0.8 / len(series)
    for place, (name, values) in enumerate(series.items()):
        for group, value in enumerate(values):
            if not value:
                continue
            at = group - 0.4 + width * (place + 0.5)
            middle = value['median']
            axes.bar(at, middle, width * 0.92, color=PALETTE[place % len(PALETTE)],
                     label=None if name in axes.get_legend_handles_labels()[1] else name)
            axes.errorbar(at, middle, yerr=[[middle - value['min']], [value['max'] - middle]],
                          color='black', linewidth=0.7, capsize=1.5)
    axes.set_xticks(range(len(groups)), groups)
    axes.set_ylabel(unit)
    axes.set_title(title, loc='left')
    if log:
        axes.set_yscale('log')
    axes.legend(fontsize=7, ncols=2)
    _save(figure, stem)
    pyplot.close(figure)


def lines(stem, title, x_label, y_label, series, log_x=False, log_y=False):
    """Lines with a band from minimum to maximum. `series` is {name: [(x, y or spread), ...]}."""
    pyplot = _pyplot()
    if not pyplot or not series:
        return
    figure, axes = pyplot.subplots(figsize=(6.0, 3.8))
    for place, (name, points) in enumerate(series.items()):
        color = PALETTE[place % len(PALETTE)]
        points = [(x, y) for x, y in points if y is not None]
        xs = [x for x, _ in points]
        axes.plot(xs, [y['median'] if isinstance(y, dict) else y for _, y in points], marker='o',
                  markersize=3, color=color, label=name)
        if points and all(isinstance(y, dict) for _, y in points):
            axes.fill_between(xs, [y['min'] for _, y in points], [y['max'] for _, y in points],
                              color=color, alpha=0.15, linewidth=0)
    if log_x:
        axes.set_xscale('log')
    if log_y:
        axes.set_yscale('log')
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.set_title(title, loc='left')
    axes.legend(fontsize=7)
    _save(figure, stem)
    pyplot.close(figure)

"""Minimum, median and maximum, which is all that a handful of runs can say."""

import statistics


def spread(values):
    """{'min':, 'median':, 'max':, 'count':}, or None for no values."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    return {'min': min(known), 'median': statistics.median(known), 'max': max(known),
            'count': len(known)}


def median(values):
    found = spread(values)
    return found['median'] if found else None


def percentile(values, share):
    """The nearest-rank percentile; share is 0.5 for the median."""
    ordered = sorted(values)
    if not ordered:
        return None
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def ratio(a, b):
    return a / b if a is not None and b else None


def show(value, digits=2):
    """A number for a table: plain, no exponent; a dash for nothing."""
    if value is None:
        return '–'
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if abs(value) >= 1000 or float(value).is_integer() and abs(value) >= 100:
        return f'{value:,.0f}'
    return f'{value:.{digits}f}'


def show_spread(values, digits=2, scale=1):
    """'median (min–max)'; the spread is left out where there is one value."""
    found = spread([value * scale for value in values if value is not None])
    if not found:
        return '–'
    if found['count'] == 1:
        return show(found['median'], digits)
    return (f'{show(found["median"], digits)} '
            f'({show(found["min"], digits)}–{show(found["max"], digits)})')

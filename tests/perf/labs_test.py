#!/usr/bin/python3
"""Tests of what perf/ computes from measurements: verdicts, medians, order, repeats, sections.

No lab is made and no clock is read.
"""

import sys
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / 'perf'))

from comparison import aead, bars, plan, report  # noqa: E402
from lib import results, schedule, stats  # noqa: E402
from lib.shell import LabError  # noqa: E402


def row(lab, peer, work, **metrics):
    return {'lab': lab, 'peer': peer, 'workload': work, **metrics}


def verdict_of(verdicts, text):
    found = [verdict for verdict in verdicts if text in verdict.text]
    assert len(found) == 1, [verdict.text for verdict in found]
    return found[0]


class Stats(unittest.TestCase):
    def test_a_spread_ignores_what_was_not_measured(self):
        self.assertEqual(stats.spread([3, None, 1, 2]),
                         {'min': 1, 'median': 2, 'max': 3, 'count': 3})
        self.assertIsNone(stats.spread([None]))

    def test_a_percentile_is_one_of_the_values(self):
        values = list(range(1, 1001))
        self.assertEqual(stats.percentile(values, 0.99), 991)
        self.assertEqual(stats.percentile([7], 0.99), 7)
        self.assertIsNone(stats.percentile([], 0.5))

    def test_there_is_no_ratio_to_nothing(self):
        self.assertIsNone(stats.ratio(1, 0))
        self.assertIsNone(stats.ratio(None, 2))


class Bars(unittest.TestCase):
    AEAD = {('aes', 'up'): 200.0, ('aes', 'down'): 200.0}

    def rows(self, ringway_ns):
        return [row('wire', 'ringway-aes', 'up1', ns_per_packet=ringway_ns, gbit_per_cpu_s=3.0),
                row('wire', 'floor', 'up1', ns_per_packet=800.0, gbit_per_cpu_s=9.0),
                row('wire', 'openvpn', 'up1', ns_per_packet=9000.0, gbit_per_cpu_s=1.0)]

    def test_the_bar_is_the_floor_plus_the_cipher_times_the_factor(self):
        verdict = verdict_of(bars.judge(self.rows(1150.0), self.AEAD, ['wire']),
                             'ringway-aes up1, server ns')
        self.assertAlmostEqual(verdict.bar, 1.15 * (800 + 200))
        self.assertEqual(verdict.state, 'PASS')

    def test_a_shortfall_is_told_in_per_cent(self):
        verdict = verdict_of(bars.judge(self.rows(2300.0), self.AEAD, ['wire']),
                             'ringway-aes up1, server ns')
        self.assertEqual(verdict.state, 'SHORT')
        self.assertIn('(100% above)', verdict.line())

    def test_times_a_rival_is_a_least_bound(self):
        verdict = verdict_of(bars.judge(self.rows(1.0), self.AEAD, ['wire']), 'up1, Gbit per')
        self.assertEqual((verdict.value, verdict.bar, verdict.state), (3.0, 1.4, 'PASS'))

    def test_a_missing_row_or_cipher_never_passes(self):
        down = verdict_of(bars.judge(self.rows(1.0), self.AEAD, ['wire']),
                          'down1, server ns')
        self.assertEqual(down.state, 'NOT MEASURED')
        without_cipher = verdict_of(bars.judge(self.rows(1.0), {}, ['wire']), 'up1, server ns')
        self.assertEqual(without_cipher.state, 'NOT MEASURED')
        self.assertIn('no AEAD figure', without_cipher.line())

    def test_a_failed_run_is_no_measurement(self):
        rows = [row('wire', 'floor', 'up1', failed='timeout', ns_per_packet=1.0)]
        self.assertIsNone(bars.Medians(rows)('wire', 'floor', 'up1', 'ns_per_packet'))

    def test_the_median_of_the_repeats_counts(self):
        rows = [row('on', 'floor', 'up1', gbit_s=value) for value in (1.0, 100.0, 3.0)]
        self.assertEqual(bars.Medians(rows)('on', 'floor', 'up1', 'gbit_s'), 3.0)

    def test_every_bar_of_the_plan_can_be_judged(self):
        rows = [row(item.lab, peer, work, gbit_s=5.0, gbit_per_cpu_s=5.0, ns_per_packet=500.0,
                    rtt_p50_us=100.0, rtt_p99_us=100.0)
                for item in plan.BAR_ITEMS for peer in item.peers for work in item.workloads]
        figures = aead.from_words('aes=1,chacha=1')
        for verdict in bars.judge(rows, figures, plan.BARS):
            self.assertNotEqual(verdict.state, 'NOT MEASURED', verdict.line())


class Aead(unittest.TestCase):
    def test_the_fastest_engine_counts(self):
        def bench(name, ns):
            return {'name': name, 'cpu_time': ns, 'time_unit': 'ns'}
        found = aead.from_report({'benchmarks': [
            bench('aead_open/openssl/AES-256-GCM/1400', 596), bench(
                'aead_open/ipsec-mb/AES-256-GCM/1400', 182),
            bench('aead_open/ipsec-mb/AES-256-GCM/64', 51),
            bench('packet_open/ipsec-mb/AES-256-GCM/1400', 20),
            bench('aead_seal/ipsec-mb/AES-128-GCM/1400', 10),
            bench('aead_seal/libsodium/CHACHA20-POLY1305/1400', 1434)]})
        self.assertEqual(found, {('aes', 'up'): 182, ('chacha', 'down'): 1434})

    def test_given_figures_are_checked(self):
        self.assertEqual(aead.from_words('aes-up=180'), {('aes', 'up'): 180.0})
        for wrong in ('des=1', 'aes-left=1', 'aes=fast', 'aes'):
            with self.assertRaises(LabError, msg=wrong):
                aead.from_words(wrong)


class Plan(unittest.TestCase):
    ITEMS = [plan.Item('on', ('up1', 'down1'), ('a', 'b'), 2),
             plan.Item('on', ('up8',), ('b',), 1), plan.Item('wire', ('up1',), ('a',), 1)]

    def test_peers_take_turns_and_the_turn_alternates(self):
        steps = [(lab, number, peer) for lab, number, peer, _ in plan.rounds(self.ITEMS)]
        self.assertEqual(steps, [('on', 0, 'a'), ('on', 0, 'b'), ('on', 1, 'b'), ('on', 1, 'a'),
                                 ('wire', 0, 'a')])

    def test_a_peer_starts_once_a_round_for_all_its_work(self):
        works = [works for _, number, peer, works in plan.rounds(self.ITEMS) if peer == 'b']
        self.assertEqual(works, [('up1', 'down1', 'up8'), ('up1', 'down1')])

    def arguments(self, **given):
        return SimpleNamespace(**{'labs': None, 'peers': None, 'workloads': None, 'repeats': None,
                                  'quick': False, 'only': None, 'bars': list(plan.BARS), **given})

    def test_bars_can_be_chosen(self):
        labs = {item.lab for item in plan.choose(self.arguments(only='bars', bars=['wire']))}
        self.assertEqual(labs, {'wire'})

    def test_repeats_are_an_upper_limit(self):
        repeats = {item.repeats for item in plan.choose(self.arguments(repeats=3))}
        self.assertLessEqual(max(repeats), 3)

    def test_a_lab_that_is_chosen_has_its_own_work(self):
        item, = plan.choose(self.arguments(labs=['rtt'], peers=['openvpn']))
        self.assertEqual(item.workloads, ('rtt', 'rtt-up', 'rtt-down'))


class Disturbance(unittest.TestCase):
    def measure_with(self, shares, repeats=2):
        shares = iter(shares)

        class Foreign:
            def start(self):
                return self

            def share(self):
                return next(shares)
        original, schedule.ForeignClock = schedule.ForeignClock, Foreign
        try:
            disturbance = schedule.Disturbance(0.06, repeats)
            return disturbance, disturbance.undisturbed(dict)
        finally:
            schedule.ForeignClock = original

    def test_a_disturbed_run_is_repeated(self):
        disturbance, kept = self.measure_with([0.5, 0.01])
        self.assertEqual((kept['tries'], kept['disturbed'], disturbance.discarded), (2, False, 1))

    def test_repeats_are_bounded_and_what_is_kept_is_marked(self):
        disturbance, kept = self.measure_with([0.5] * 9)
        self.assertEqual((kept['tries'], kept['disturbed']), (3, True))
        self.assertEqual((disturbance.discarded, disturbance.kept_disturbed), (2, 1))


class Sections(unittest.TestCase):
    def test_a_section_replaces_its_own_and_leaves_the_others(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / 'RESULTS.md'
            results.write_section('compare', 'One', r'first \1', file)
            results.write_section('wire', 'Two', 'other', file)
            results.write_section('compare', 'One', r'second \1', file)
            text = file.read_text()
        self.assertNotIn('first', text)
        self.assertEqual((text.count(r'second \1'), text.count('other')), (1, 1))

    def test_a_report_shows_every_row_and_every_failure(self):
        rows = [row('on', 'openvpn', 'up1', gbit_s=0.7, gbit_per_cpu_s=1.0, ns_per_packet=9000.0,
                    disturbed=False, core_busy={0: 0.9, 1: 1.0}, rss_kib=2048),
                row('on', 'floor', 'up1', failed='it broke\nhere')]
        header = {'machine': {'cpu': 'x', 'cores': 2, 'memory_gib': 1, 'virtual': True,
                              'cpu_features': [], 'os': 'y', 'kernel': 'z'},
                  'commit': 'c', 'date': 'd', 'command': 'e'}
        text = report.section(header, rows, [])
        self.assertIn('| openvpn | 0.70 | 1.00 | 9,000 | 0.90/1.00 | 2 | 0 of 1 |', text)
        self.assertIn('* on floor up1: it broke', text)


if __name__ == '__main__':
    unittest.main()

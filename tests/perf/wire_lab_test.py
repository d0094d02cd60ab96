#!/usr/bin/python3
"""Tests of what perf/wire computes from measurements: its bars, and what it asks for.

No lab is made and no clock is read.
"""

import sys
import unittest
from pathlib import Path
from types import SimpleNamespace

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / 'perf'))

from wirelab import aead, report, scenarios  # noqa: E402
from wirelab.scenarios import Scenario  # noqa: E402

ONE = Scenario(1, 1400, 'up', False)
MANY = Scenario(1000, 1400, 'up', False)
MERGED = Scenario(1, 1400, 'up', True)
AEAD = {('AES-256-GCM', 'up', 1400): 200.0}


def rows(subject, scenario, *values):
    return [{'subject': subject, **scenario.fields(), 'server_ns_packet': value}
            for value in values]


def judge(scenario, *given):
    all_rows = [row for some in given for row in some]
    judged = report.bars(report.Medians(all_rows), [scenario], AEAD)
    return {name.split(': ')[1][:4]: passed for name, _, _, _, passed in judged}


class Bars(unittest.TestCase):
    def test_the_floor_and_the_cipher_are_added_before_the_factor(self):
        floor = rows('floor', ONE, 1000)
        self.assertTrue(judge(ONE, floor, rows('ringway', ONE, 1440))['ns a'])
        self.assertFalse(judge(ONE, floor, rows('ringway', ONE, 1441))['ns a'])

    def test_the_median_is_judged(self):
        floor = rows('floor', ONE, 1000)
        self.assertTrue(judge(ONE, floor, rows('ringway', ONE, 9000, 1300, 1400))['ns a'])

    def test_many_clients_are_held_against_the_floor_of_one_where_there_is_no_other(self):
        self.assertTrue(judge(MANY, rows('floor', ONE, 1000),
                              rows('ringway', MANY, 1440))['ns a'])
        self.assertFalse(judge(MANY, rows('floor', ONE, 1000), rows('floor', MANY, 900),
                               rows('ringway', MANY, 1440))['ns a'])

    def test_openvpn_has_to_be_beaten_by_more_where_packets_are_merged(self):
        self.assertTrue(judge(ONE, rows('ringway', ONE, 1000),
                              rows('openvpn', ONE, 2000))['≥ 2 '])
        self.assertFalse(judge(MERGED, rows('ringway', MERGED, 1000),
                               rows('openvpn', MERGED, 7900))['≥ 8 '])

    def test_a_thousand_clients_may_cost_a_little_more_than_one(self):
        one = rows('ringway', ONE, 1000)
        self.assertTrue(judge(MANY, one, rows('ringway', MANY, 1300))['1,00'])
        self.assertFalse(judge(MANY, one, rows('ringway', MANY, 1301))['1,00'])

    def test_what_was_not_measured_is_not_judged(self):
        self.assertEqual(judge(ONE, rows('ringway', ONE, 1000)), {})
        self.assertEqual(judge(ONE, rows('openvpn', ONE, 1000)), {})

    def test_the_shortfall_is_told(self):
        judged = report.bars(report.Medians(rows('ringway', ONE, 1000)
                                            + rows('openvpn', ONE, 1500)), [ONE], {})
        self.assertIn('25% off', report.show_bars(judged))
        self.assertIn('0 of 1 bars', report.show_bars(judged))


class Aead(unittest.TestCase):
    def test_the_fastest_engine_of_each_size_counts(self):
        def line(name, time, unit='ns'):
            return {'name': name, 'cpu_time': time, 'time_unit': unit}
        found = aead.from_report({'benchmarks': [
            line('aead_open/openssl/AES-256-GCM/64', 319),
            line('aead_open/ipsec-mb/AES-256-GCM/64', 51),
            line('aead_seal/ipsec-mb/AES-256-GCM/1400', 0.18, 'us'),
            line('packet_seal/ipsec-mb/AES-256-GCM/1400', 99)]})
        self.assertEqual(found, {('AES-256-GCM', 'up', 64): 51,
                                 ('AES-256-GCM', 'down', 1400): 180})

    def test_figures_survive_the_header_of_the_results(self):
        self.assertEqual(aead.from_header(aead.to_words(AEAD)), AEAD)


class Commands(unittest.TestCase):
    options = SimpleNamespace(uso='auto', burst=3, window=256, sample=64, milliseconds=500,
                              modes=['single', 'merged'], directions=['up', 'down'],
                              sizes=[1400, 64], clients=[1, 100], inner='tcp')

    def test_single_packets_come_without_offloads(self):
        words = ONE.command(self.options).split()
        for word in ('run', 'train=1', 'burst=3', 'outer-offloads=0', 'inner-offloads=0', 'ms=500'):
            self.assertIn(word, words)

    def test_trains_come_with_them(self):
        words = MERGED.command(self.options).split()
        for word in ('train=40', 'burst=1', 'outer-offloads=1', 'inner-offloads=1'):
            self.assertIn(word, words)

    def test_the_matrix_has_each_combination_once(self):
        found = scenarios.matrix(self.options)
        self.assertEqual(len(found), 16)
        self.assertEqual(len(set(found)), 16)


if __name__ == '__main__':
    unittest.main()

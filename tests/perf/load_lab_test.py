#!/usr/bin/python3
"""Tests of what perf/loadgen computes from reports: the server's counters, and the bars."""

import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / 'perf'))

from lib.load_lab import parse_counters  # noqa: E402
from lib.load_tables import BARS, tables  # noqa: E402


def storm(server, rate, clients=1000, kib=40.0):
    return {'scenario': 'storm', 'server': server, 'clients': clients, 'connected': clients,
            'handshakes_per_control_cpu_second': rate, 'rss_kib_per_session': kib}


def active(packets, others):
    return {'scenario': 'active', 'server': 'ringway', 'others': others,
            'down': {'packets_per_second': packets}}


class Counters(unittest.TestCase):
    def test_lines_become_groups_by_name(self):
        text = 'workers: handed_over_packets 0, loop_turns 12\ndropped by workers: no_route 4\n'
        self.assertEqual(parse_counters(text),
                         {'workers': {'handed_over_packets': 0, 'loop_turns': 12},
                          'dropped by workers': {'no_route': 4}})

    def test_other_lines_of_a_log_are_passed_over(self):
        self.assertEqual(parse_counters('10:00:01 client1: connected as peer 3\n\nstopped\n'), {})


class Bars(unittest.TestCase):
    def test_medians_are_judged_and_the_ratio_with_them(self):
        text = BARS.verdicts([storm('ringway', 800), storm('ringway', 1200),
                              storm('ringway', 1300), storm('openvpn', 700)])
        self.assertIn('control thread: 1,200 (at least 850): **PASS**', text)
        self.assertIn('against OpenVPN: 1.71 (at least 1.2 times): **PASS**', text)

    def test_a_shortfall_is_called_so(self):
        text = BARS.verdicts([storm('ringway', 849), storm('openvpn', 800)])
        self.assertIn('849 (at least 850): **short of it**', text)
        self.assertIn('1.06 (at least 1.2 times): **short of it**', text)

    def test_memory_is_judged_at_ten_thousand_sessions_only(self):
        self.assertNotIn('KiB', BARS.verdicts([storm('ringway', 900, clients=1000, kib=90)]))
        self.assertIn('KiB a session at 10,000: 49.00 (at most 48): **short of it**',
                      BARS.verdicts([storm('ringway', 900, clients=10_000, kib=49)]))

    def test_active_clients_are_held_against_themselves_alone(self):
        text = BARS.verdicts([active(1000, 0), active(1040, 0), active(930, 5000)])
        self.assertIn('against alone: 0.91 (at least 0.9): **PASS**', text)

    def test_what_failed_or_was_not_measured_is_not_judged(self):
        failed = {'scenario': 'storm', 'server': 'ringway', 'error': 'no'}
        self.assertEqual(BARS.verdicts([failed]), '')
        self.assertEqual(tables([failed]), '')


if __name__ == '__main__':
    unittest.main()

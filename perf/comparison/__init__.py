"""The lab of perf/compare: one server between clients and the Internet, peers in turn."""

"""The lab of perf/wire: subjects, scenarios and bars."""

"""Benchmarks: ratios between two things measured in one run, since absolute times differ between machines."""

"""Benchmarks: each prints a ratio against a peer measured in the same run, and the absolute figures with the host's load."""

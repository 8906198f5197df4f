"""The seeded simulator: the real service from its AMI link up, over an Asterisk that is played, in time that is played.

One seed is one run, always the same: who calls when, what phones do, what the wires do to events, when the service dies and what
was durable then. ``python -m tests.simulator`` runs many; ``python -m tests.simulator --story SEED`` tells one of them.
"""

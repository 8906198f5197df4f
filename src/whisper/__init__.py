"""Supervision: who may hear whom, and sessions that follow an agent or a call. Pure.

``policy`` holds the rules, ``sessions`` what a session is and how it moves, ``supervision`` all that live. What people ask is in
``desk`` (its vocabulary in ``commands``), what the PBX says in ``course``; ``follow`` keeps every session where it belongs.
"""

"""Supervision: who may hear whom, and sessions that move between modes. Pure; filled by a later capability."""

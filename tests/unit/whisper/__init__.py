"""Supervision, pure."""

"""Unit tests of the service shell."""

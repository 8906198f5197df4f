"""Virtual hold: the caller's own place in line without a live leg. Pure, like ``acd``; filled by a later capability."""

"""Virtual hold: callers who are called back at their own place in the line. Pure; ``callback.keeper`` is the door."""

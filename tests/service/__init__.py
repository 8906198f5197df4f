"""The service as its callers, agents, supervisors and operators see it, on both databases."""

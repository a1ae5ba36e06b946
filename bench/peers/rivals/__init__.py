"""The rivals: one module each, run as a process that answers requests."""

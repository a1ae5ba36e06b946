"""The driver: prepares files and rivals, measures them in turn, and reports."""

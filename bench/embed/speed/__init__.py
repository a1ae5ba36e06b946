"""Embedders beside vecdb, on the same texts and the same model."""

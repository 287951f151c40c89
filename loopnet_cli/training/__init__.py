"""Losses and training loops; never imported by synthesis or by generate."""

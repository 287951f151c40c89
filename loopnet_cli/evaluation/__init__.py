"""Measuring models on held-out data."""

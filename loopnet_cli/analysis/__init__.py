"""Audio to features: timbre, chroma, envelope. Knows nothing of the command line."""

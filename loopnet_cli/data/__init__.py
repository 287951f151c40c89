"""Training bars: reading one-shots and grooves, splits, the renderer."""

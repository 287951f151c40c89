"""The studio model: controls in, loop out."""

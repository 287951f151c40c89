"""Reading, writing and levelling audio."""

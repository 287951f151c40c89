"""Many loops from a table: reading it, planning its rows, doing them with workers, keeping record."""

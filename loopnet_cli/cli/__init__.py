"""The command line: one module a command; each reads files, calls the library, writes files."""

"""The judge of the model: figures on the held-out split, into docs/RESULTS.md. Needs the training material.

Every section measures loop by loop (`measure(bench, number)` gives a row of plain
values) and then sums the rows up (`summarise(rows, seed)` gives tables), so that
the measuring can be spread over processes, interrupted and resumed.
"""

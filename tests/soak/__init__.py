"""Market makers that quote and cancel for a long time, on simulated exchanges where things go wrong at random.

Three bots, one of each flavour, run side by side, each in a process of its own with both exchanges; the exchanges are
in this process, and what the bots say is held against them. See ``python -m tests.soak --help``.
"""

"""Benchmarks: how exactly fits come back, how fast graphs run, always beside a peer of the same run.

    python -m luxgrad.benchmarks [planted areal pairs speed ...]      all, without names
    LUXGRAD_DATA=FOLDER[:FOLDER...]                                   photos to use (default: the repository's own)
    LUXGRAD_PAIRS=FOLDER                                              NAME_before.png and NAME_after.png
    LUXGRAD_WEIGHTS=FILE.safetensors                                  of a blend pyramid (default: abpn_small)

Tables go to benchmarks/results. Times are of this machine; read the ratios.
"""

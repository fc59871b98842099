"""`python -m luxgrad.benchmarks`."""

from __future__ import annotations

import argparse

from . import auto, comfyui, decodes, fuzz, in_and_out, local_retouch, pairs, planted, raw, speed, words

SUITES = {
    "planted": planted.pointwise,
    "areal": planted.areal,
    "pairs": pairs.run,
    "speed": speed.run,
    "in_and_out": in_and_out.run,
    "fuzz": fuzz.run,
    "raw": raw.run,
    "comfyui": comfyui.run,
    "auto": auto.run,
    "local_retouch": local_retouch.run,
    "words": words.run,
    "decodes": decodes.run,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="luxgrad.benchmarks", description="Accuracy and speed, beside a peer of the same run."
    )
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"some of {', '.join(SUITES)} (all)")
    parser.add_argument("--targets", type=int, default=60, metavar="N", help="planted targets of pointwise graphs (60)")
    options = parser.parse_args()
    unknown = set(options.suites) - set(SUITES)
    if unknown:
        parser.error(f"unknown suite {', '.join(sorted(unknown))}; there are {', '.join(SUITES)}")
    for name in options.suites or SUITES:
        print(f"== {name}", flush=True)
        SUITES[name](options.targets)


main()

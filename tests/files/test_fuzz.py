"""Damaged photos of every format are read or refused in one line; none kills, hangs or surprises."""

from __future__ import annotations

from pathlib import Path

from luxgrad.benchmarks import fuzz


def test_fifty_damaged_photos_of_all_formats_do_no_harm(tmp_path: Path) -> None:
    good = fuzz.samples(tmp_path)
    answers = dict(fuzz.read_all([*good, *fuzz.damaged_files(tmp_path, good, 50, first_seed=10_000)]))
    assert all(answers[path] == "read" for path in good), answers
    faults = {path.name: answer for path, answer in answers.items() if answer.startswith("FAULT")}
    assert not faults
    assert sum(answer.startswith("refused") for answer in answers.values()) > 10

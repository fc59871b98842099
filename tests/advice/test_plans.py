"""From chances and dials to what is said and done: opposites, what is meant, and what is too little to matter."""

from __future__ import annotations

import torch

from luxgrad.advice.advisors.diagnoser import believed, planned
from luxgrad.advice.diagnosis import Diagnosis, evidence
from luxgrad.advice.dials import DIALS
from luxgrad.advice.faults import COLOURS, FAULTS, MEANT
from luxgrad.advice.statistics import small_codes
from luxgrad.light.photo import Photo


def seen(faults: dict[str, float], dials: dict[str, float], meant: dict[str, float] | None = None) -> Diagnosis:
    return Diagnosis(
        {**dict.fromkeys(FAULTS, 0.01), **faults},
        {**dict.fromkeys(MEANT, 0.01), **(meant or {})},
        {**{dial.name: 0.0 for dial in DIALS}, **dials},
        torch.full((1, 3, 96, 96), 0.5),
    )


def test_where_no_fault_is_likely_nothing_is_turned() -> None:
    found = seen({"pale": 0.2}, {"saturation": 0.9, "exposure": 1.0})
    assert believed(found) == {}
    assert planned(found, {}) == {}


def test_of_opposite_faults_the_likelier_is_said() -> None:
    found = seen({"pale": 0.6, "over-saturated": 0.4, "warm cast": 0.35, "green cast": 0.5}, {})
    assert set(believed(found)) == {"pale", "warm cast", "green cast"}


def test_what_no_fault_asks_for_is_turned_only_where_it_shows() -> None:
    found = seen({"under-exposed": 0.9}, {"exposure": 0.2, "contrast": 0.05, "saturation": 0.2, "tint": -3.0})
    assert planned(found, believed(found)) == {"exposure": 0.2, "saturation": 0.2}
    against = seen({"under-exposed": 0.9}, {"exposure": -0.2})
    assert planned(against, believed(against)) == {}


def test_what_is_meant_keeps_its_dials() -> None:
    turns = {dial.name: dial.width for dial in DIALS}
    faults = {"under-exposed": 0.9, "green cast": 0.9}
    night = seen(faults, turns, {"night": 0.7})
    assert set(believed(night)) == {"green cast"}
    assert set(planned(night, believed(night))) == COLOURS
    grey = seen(faults, turns, {"black and white": 0.7})
    assert set(believed(grey)) == {"under-exposed"}
    assert not set(planned(grey, believed(grey))) & COLOURS
    both = seen(faults, turns, {"black and white": 0.7, "high key": 0.6})
    assert planned(both, believed(both)) == {}


def test_evidence_is_where_the_turn_of_a_dial_shows(spices: Photo) -> None:
    light = spices.pixels.clone()
    light[..., : light.shape[3] // 2] = 0.0
    mask = evidence(small_codes(light), {"exposure": 1.0})
    assert mask.shape == (1, 1, 96, 96)
    assert mask[..., :40].max() < 0.05
    assert mask[..., 56:].mean() > 0.5
    assert evidence(small_codes(light), {}).max() < 1e-3

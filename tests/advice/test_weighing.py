"""A language model that was taught to weighs findings: it selects, orders and grades within their bounds, in our words."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from luxgrad.advice.advisors import diagnoser as trained
from luxgrad.advice.asking import Advised, advise
from luxgrad.advice.findings import Finding
from luxgrad.advice.language import deciding, files, loading
from luxgrad.advice.language.choosing import GRADES, Choice, choices, facts_of, grammar_of
from luxgrad.advice.language.decoding import drawn
from luxgrad.advice.language.files import NoLanguage
from luxgrad.advice.language.grammar import NOTHING
from luxgrad.advice.sayings import SAYINGS, sayings
from luxgrad.light.photo import Photo

from ..graph.graphs import chain
from .tiny import tiny

DARK = Finding("too dark", "Dark by 2.1 EV.", 0.9, 0.6, evidence={"bright end (EV under white)": 2.1})
BLUE = Finding("blue cast", "Blue.", 0.6, 0.3, "colour", {"light (K)": 9000.0})
NIGHT = Finding("night", "Night.", 0.9, keep=True)

Say = Callable[..., None]


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch) -> Say:
    """Lets the language model say some phrases; `sure` of it so much."""

    def say(*said: str, sure: float = 0.9) -> None:
        monkeypatch.setattr(deciding, "language", lambda _task: tiny())
        monkeypatch.setattr(deciding, "likeliest", lambda *_: (said, sure))

    return say


@pytest.fixture
def dark(spices: Photo) -> Photo:
    """Spoiled: too dark, and in light that is too yellow."""
    return Photo(spices.pixels * torch.tensor([0.36, 0.3, 0.24]).reshape(1, 3, 1, 1))


def moved(advised: Advised) -> dict[str, float]:
    return {edit["path"]: edit["value"] for edit in advised.patch if edit["edit"] == "set"}


STEPS = ("tone.exposure", "colour.white_balance")


def test_whatever_is_drawn_chooses_every_finding_once_at_most_and_within_its_bounds() -> None:
    found = tiny()
    grammar = grammar_of([DARK, BLUE], found.encode)
    lists = drawn(found, grammar, facts_of([DARK, BLUE]), 400, torch.Generator().manual_seed(0), 3.0)
    assert len(set(lists)) > 50
    for said in lists:
        chosen, beyond = grammar.meaning(said)
        assert not beyond
        assert len({choice.number for choice in chosen}) == len(chosen) <= 2
        for choice in chosen:
            assert choice.share in ((0.75, 1.0) if choice.number == 0 else GRADES.values())
            assert choice.words in sayings((DARK, BLUE)[choice.number].what)
    assert any(len(said) == 2 and said[0].startswith(sayings("blue cast")) for said in lists), "in either order"
    assert (NOTHING,) in lists


def test_the_facts_are_the_findings_and_no_other_number() -> None:
    facts = facts_of([DARK, BLUE], [NIGHT])
    assert facts.splitlines() == [
        "Sees: too dark; severity 0.6; sure 0.9; bright end (EV under white) 2.1",
        "Sees: blue cast; severity 0.3; sure 0.6; light (K) 9000.0", "Meant: night", "Mends:",
    ]  # fmt: skip
    assert not any(re.search(r"\d", phrase) for phrase in choices([DARK, BLUE]))


def test_no_two_findings_share_words() -> None:
    words = [word for group in SAYINGS for word in group]
    assert len(words) == len(set(words))
    assert sayings("noise") == ("noise",)
    twice = choices([DARK, DARK])
    assert {choice.number for choice in twice.values() if choice} == {0}


def test_auto_mends_what_is_chosen_as_far_as_it_is_chosen(says: Say, dark: Photo) -> None:
    plain = advise(chain(*STEPS), dark)
    names = [finding.what for finding in plain.findings]
    assert names[0] == "too dark"
    says("short of light, mostly")
    advised = advise(chain(*STEPS), dark)
    assert moved(advised)["exposure.stops"] == pytest.approx(0.75 * moved(plain)["exposure.stops"], abs=0.01)
    assert advised.findings[0].what == "short of light"
    assert advised.findings[0].why == plain.findings[0].why + " Three quarters of that are done."
    assert advised.findings[0].evidence == plain.findings[0].evidence
    assert "white_balance.kelvin" not in moved(advised)
    says(NOTHING)
    left = advise(chain(*STEPS), dark)
    assert left.patch == ()
    assert all(finding.keep for finding in left.findings)
    assert left.findings[0].why.endswith("Beside the others it is left as it is.")


def test_the_order_is_that_of_the_choice(says: Say, dark: Photo) -> None:
    plain = advise(chain(*STEPS), dark)
    assert [finding.what for finding in plain.findings] == ["too dark", "yellow cast"]
    says("yellow cast, fully", "too dark, fully")
    advised = advise(chain(*STEPS), dark)
    assert [finding.what for finding in advised.findings] == ["yellow cast", "too dark"]
    assert moved(advised) == moved(plain)


def test_the_diagnoser_turns_its_dials_as_far_as_is_chosen(says: Say, dark: Photo) -> None:
    plain = advise(chain("tone.exposure"), dark, "diagnoser")
    (first,) = (finding for finding in plain.findings if finding.what == "under-exposed")
    says("short of light, mostly")
    advised = advise(chain("tone.exposure"), dark, "diagnoser")
    assert moved(advised)["exposure.stops"] == pytest.approx(0.75 * moved(plain)["exposure.stops"], abs=0.01)
    assert advised.findings[0].what == "short of light"
    assert advised.findings[0].why.startswith(first.why)
    says(NOTHING)
    assert advise(chain("tone.exposure"), dark, "diagnoser").patch == ()
    assert trained.SURE < 1.0


def test_what_is_drawn_by_chance_is_always_advice_that_fits(dark: Photo, monkeypatch: pytest.MonkeyPatch) -> None:
    lists = iter(range(1000))

    def draw(language: object, grammar: object, prompt: str) -> tuple[tuple[str, ...], float]:
        return drawn(language, grammar, prompt, 1, torch.Generator().manual_seed(next(lists)), 3.0)[0], 1.0  # type: ignore[arg-type]

    monkeypatch.setattr(deciding, "language", lambda _task: tiny())
    monkeypatch.setattr(deciding, "likeliest", draw)
    found = {str(moved(advise(chain(*STEPS), dark))) for _ in range(12)}
    assert len(found) > 3


def test_without_one_that_was_taught_or_is_sure_the_findings_speak_and_nothing_is_loaded(
    dark: Photo, says: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def untouched(_path: Path) -> None:
        raise AssertionError("loaded")

    own = tmp_path / "own.gguf"
    own.write_bytes(b"GGUF")
    monkeypatch.setattr(loading, "load", untouched)
    told = "none"
    monkeypatch.setattr(files, "_source", lambda: (told, "a test"))
    plain = advise(chain(*STEPS), dark)
    assert plain.reply == ""
    told = str(own)
    assert advise(chain(*STEPS), dark).lines() == plain.lines()
    note = (
        "Read by its words alone: own.gguf has not been taught what people say of photos (python -m luxgrad.training.dialogue)."
    )
    assert advise(chain(*STEPS), dark, "style", "chirpy").lines()[-1] == note
    save_file({"a": torch.zeros(1)}, tmp_path / files.ADAPTER)
    assert advise(chain(*STEPS), dark).lines() == plain.lines(), "an adapter that does not say so knows sentences alone"
    says("too dark, mostly", sure=0.2)
    assert advise(chain(*STEPS), dark).lines() == plain.lines()


def test_one_that_was_taught_and_cannot_be_used_is_told(dark: Photo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own.gguf").write_bytes(b"GGUF")
    save_file({"a": torch.zeros(1)}, tmp_path / files.ADAPTER, {loading.TAUGHT: "wishes findings"})
    monkeypatch.setattr(files, "_source", lambda: (str(tmp_path / "own.gguf"), "a test"))

    def broken(path: Path) -> None:
        raise NoLanguage(f"{path.name} cannot be loaded: it is damaged")

    monkeypatch.setattr(loading, "load", broken)
    advised = advise(chain(*STEPS), dark)
    assert advised.reply == "Weighed by its numbers alone: own.gguf cannot be loaded: it is damaged."
    assert advised.patch
    (tmp_path / files.ADAPTER).write_bytes(b"x")
    assert "adapter.safetensors cannot be used" in advise(chain(*STEPS), dark).reply


def test_a_choice_is_of_one_finding_a_share_and_words() -> None:
    assert choices([BLUE])["its light is bluish, by half"] == Choice(0, 0.5, "its light is bluish")
    assert "blue cast, by half" not in choices([Finding("blue cast", "", 0.8)])

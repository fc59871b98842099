"""Sentences: how many are read rightly by the reader alone, a language model alone, and both.

The sentences lie in tests/advice/sentences: those the reader was tuned on, those held out, and those in words that no lexicon
holds. A sentence is right where every wish has its direction and no other is heard; what is beyond is said to be.
"""

from __future__ import annotations

from collections.abc import Callable

from ..advice.aspects import every_wish
from ..advice.language.deciding import SURE
from ..advice.language.decoding import likeliest, prompt_of
from ..advice.language.files import NoLanguage
from ..advice.language.grammar import Grammar, phrases
from ..advice.language.loading import Language, language
from ..advice.reading import heard
from ..advice.wishes import Heard, together
from ..tests.advice.judging import Sentence, right, said, sentences
from .photos import machine, write

SETS = ("tuning", "more", "held_out", "other_words")

Reader = Callable[[str], Heard]


def by_language(found: Language, grammar: Grammar, sure_enough: float) -> Reader:
    """A language model alone."""

    def read(sentence: str) -> Heard:
        told, sure = likeliest(found, grammar, prompt_of(sentence))
        wishes, beyond = grammar.meaning(told)
        if sure < sure_enough:
            return Heard((), (sentence,))
        return Heard(together(wishes), (sentence,) if beyond else ())

    return read


def by_both(model: Reader) -> Reader:
    """The reader, and for what it does not know a language model."""

    def read(sentence: str) -> Heard:
        first = heard(sentence)
        wishes, unknown = list(first.wishes), list[str]()
        for piece in first.unknown:
            found = model(piece)
            wishes += found.wishes
            unknown += found.unknown
        return Heard(together(wishes), tuple(unknown))

    return read


def row(name: str, readers: dict[str, Reader]) -> tuple[list[str], list[str]]:
    """A row of the table, and the sentences that the reader alone gets wrong."""
    every = list(sentences(name))
    cells, wrong = [name, str(len(every))], list[str]()
    for label, read in readers.items():
        found = {one: read(one.text) for one in every}
        good = [one for one in every if right(one, found[one])]
        wishes, beyond = ([one for one in every if one.unknown is kind] for kind in (False, True))
        kept = sum(one in good for one in beyond)
        cells.append(f"{_share(sum(one in good for one in wishes), len(wishes))}, {_share(kept, len(beyond))}")
        if label == "reader":
            wrong = [_missed(one, found[one]) for one in every if one not in good]
    return cells, wrong


def _share(some: int, of: int) -> str:
    return f"{100.0 * some / of:.1f} %" if of else "-"


def _missed(one: Sentence, found: Heard) -> str:
    wanted = " or ".join(" ".join(sorted(reading)) or "nothing" for reading in one.readings)
    return f"* {one.text}: {' '.join(sorted(said(found))) or 'nothing'}, not {wanted}"


def run(_targets: int) -> None:
    readers: dict[str, Reader] = {"reader": heard}
    lines = ["# Sentences", "", f"{machine()}. Every cell: wishes rightly read, and unknown wishes said to be unknown.", ""]
    note = ""
    try:
        found = language()
        grammar = Grammar(phrases(every_wish()), found.encode)
        alone = by_language(found, grammar, 0.0)
        readers |= {"language model": alone, "both": by_both(by_language(found, grammar, SURE))}
    except NoLanguage as error:
        note = f"Without a language model: {error}."
    lines += [f"| sentences | | {' | '.join(readers)} |", "|---" * (len(readers) + 2) + "|"]
    missed: list[str] = []
    for name in SETS:
        cells, wrong = row(name, readers)
        lines.append(f"| {' | '.join(cells)} |")
        print(lines[-1], flush=True)
        missed += wrong if name == "held_out" else []
    write("words.md", "\n".join([*lines, "", note, "", "## Held out, and read wrongly by the reader", "", *missed]) + "\n")

"""What a language model may say: a list of phrases, such as those that the operations' declarations give for wishes.

The language is finite (a phrase for every aspect, direction and degree), so its grammar is a trie of tokens: at every point
the few tokens that go on are known exactly, and what is decoded is a wish by construction. No text is parsed afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from ..aspects import every_wish, worded
from ..wishes import DEGREES, Wish

UNKNOWN = "something else"
"""What stands for a wish that no slider fulfils."""
NOTHING = "nothing"
"""What stands for no wish at all."""
PLAINLY = "plainly"
"""A degree in a word, where phrases have none."""
BETWEEN, END = ";", "."
MOST = 6
"""So many wishes at once."""

Encode = Callable[[str], Sequence[int]]
M = TypeVar("M")


def phrases(wishes: Iterable[Wish] | None = None) -> dict[str, Wish | None]:
    """Every phrase with what it means; None is a wish that is not known. wishes: those there are (None: all)."""
    found: dict[str, Wish | None] = {}
    for wish in every_wish() if wishes is None else wishes:
        for strength in DEGREES.values():
            graded = wish._replace(strength=strength)
            found[worded(graded)] = graded
    return {**found, UNKNOWN: None}


def degrees(wishes: Iterable[Wish] | None = None) -> dict[str, dict[str, str]]:
    """The same phrases by what is wished, and the word for how much."""
    found = {
        worded(wish): {degree or PLAINLY: worded(wish._replace(strength=strength)) for degree, strength in DEGREES.items()}
        for wish in (every_wish() if wishes is None else wishes)
    }
    return {**found, UNKNOWN: dict.fromkeys((degree or PLAINLY for degree in DEGREES), UNKNOWN)}


@dataclass
class _Node:
    """A place in the trie: the tokens that go on, and the phrase that may end here."""

    next: dict[int, _Node] = field(default_factory=dict)
    phrase: str = ""


class Place(NamedTuple):
    """Where a list of wishes stands: the phrase begun, and those that are whole."""

    node: _Node
    said: tuple[str, ...] = ()
    over: bool = False


class Grammar(Generic[M]):
    """Lists of phrases with `;` between and `.` behind, as tokens. Raises ValueError where tokens cannot tell them apart.

    meanings: every phrase with what it means. about: what a meaning is about; a list says one thing about it at most.
    """

    def __init__(self, meanings: Mapping[str, M | None], encode: Encode, about: Callable[[M], Hashable] | None = None) -> None:
        self.meanings, self._about = dict(meanings), about
        self.between, self.end = _one(encode, BETWEEN), _one(encode, END)
        self._tokens = {phrase: encode(f" {phrase}") for phrase in self.meanings}
        self._roots: dict[frozenset[Hashable], _Node] = {}
        self._first = self._trie(self.meanings)
        _put(self._first, encode(f" {NOTHING}"), NOTHING)

    @property
    def start(self) -> Place:
        return Place(self._first)

    def _trie(self, phrases: Iterable[str]) -> _Node:
        root = _Node()
        for phrase in phrases:
            _put(root, self._tokens[phrase], phrase)
        return root

    def _next(self, said: Sequence[str]) -> _Node:
        """The phrases that may come after others."""
        spoken = frozenset(self._topic(phrase) for phrase in said) if self._about is not None else frozenset()
        if spoken not in self._roots:
            self._roots[spoken] = self._trie(phrase for phrase in self.meanings if self._topic(phrase) not in spoken)
        return self._roots[spoken]

    def _topic(self, phrase: str) -> Hashable:
        meaning = self.meanings[phrase]
        return self._about(meaning) if self._about is not None and meaning is not None else None

    def allowed(self, place: Place) -> list[int]:
        """The tokens that may come next, in rising order; none where the list is over."""
        if place.over:
            return []
        tokens = list(place.node.next)
        if place.node.phrase:
            tokens.append(self.end)
            said = (*place.said, place.node.phrase)
            if place.node.phrase != NOTHING and len(said) < MOST and self._next(said).next:
                tokens.append(self.between)
        return sorted(tokens)

    def after(self, place: Place, token: int) -> Place:
        """Where a list stands after another token. Raises ValueError where it is not allowed."""
        if token not in self.allowed(place):
            raise ValueError(f"token {token} is not allowed here")
        if token in place.node.next:
            return place._replace(node=place.node.next[token])
        said = (*place.said, place.node.phrase)
        return Place(place.node, said, True) if token == self.end else Place(self._next(said), said)

    def tokens_of(self, said: Sequence[str], encode: Encode) -> list[int]:
        """A list of phrases as tokens, as they are decoded (and learned)."""
        tokens: list[int] = []
        for phrase in said or (NOTHING,):
            tokens += [*encode(f" {phrase}"), self.between]
        return [*tokens[:-1], self.end]

    def meaning(self, said: Sequence[str]) -> tuple[tuple[M, ...], bool]:
        """What a list of its phrases means, and whether something else was meant too."""
        return meaning_of(self.meanings, said)


def meaning_of(meanings: Mapping[str, M | None], said: Sequence[str]) -> tuple[tuple[M, ...], bool]:
    """What some phrases mean, and whether something else was meant too. Raises KeyError for one that has no meaning."""
    meant = [meanings[phrase] for phrase in said if phrase != NOTHING]
    return tuple(one for one in meant if one is not None), None in meant


def _one(encode: Encode, text: str) -> int:
    tokens = encode(text)
    if len(tokens) != 1:
        raise ValueError(f"expected one token for {text!r}; got {len(tokens)}")
    return tokens[0]


def _put(root: _Node, tokens: Sequence[int], phrase: str) -> None:
    node = root
    for token in tokens:
        node = node.next.setdefault(token, _Node())
    if node.phrase or not tokens:
        raise ValueError(f"{phrase!r} and {node.phrase!r} have the same tokens")
    node.phrase = phrase

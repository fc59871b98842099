"""What an advisor is, and how one is declared."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

from ..ops.errors import DeclarationError
from .view import View


class Advisor(NamedTuple):
    """Who can be asked: a function of a `View` that gives an `Advice`. summary: what it does, for people."""

    name: str
    function: Callable[[View], Any]
    summary: str


ADVISORS: dict[str, Advisor] = {}
"""Every advisor by name, as the files of `advisors/` are imported."""


def advisor(function: Callable[[View], Any]) -> Callable[[View], Any]:
    """Declare an advisor: one file, one function of the file's name; its docstring tells people what it does."""
    file = function.__module__.rpartition(".")[2]
    if file != function.__name__:
        raise DeclarationError(f"{function.__module__}: name the function {file}, as its file (one advisor = one file)")
    summary = (inspect.getdoc(function) or "").partition("\n\n")[0]
    if not summary:
        raise DeclarationError(f"{function.__module__}: write a docstring; its first paragraph tells people what it does")
    ADVISORS[file] = Advisor(file, function, " ".join(summary.split()))
    return function

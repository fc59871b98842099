"""Style: a sentence becomes moves of sliders. What nothing here can do is said to be so, and nothing is done instead."""

from __future__ import annotations

from ..advisor import advisor
from ..findings import Advice
from ..replying import replied
from ..view import View


@advisor
def style(view: View) -> Advice:
    """Follows a sentence: warmer, remove the spots but keep the mole, a bit less, undo that. What it does not know, it says."""
    if not view.say.strip():
        return Advice(reply="Say what you wish, for example: a bit warmer, less contrast, the sky less cyan, remove the spots.")
    return replied(view)

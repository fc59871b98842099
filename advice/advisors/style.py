"""Style: a sentence becomes moves of sliders. What nothing here can do is said to be so, and nothing is done instead."""

from __future__ import annotations

from ..advisor import advisor
from ..aspects import every_wish, worded
from ..findings import Advice
from ..fulfilling import fulfilled, possible
from ..listening import listened
from ..view import View


@advisor
def style(view: View) -> Advice:
    """Follows a sentence, such as: warmer and moodier, and the sky less cyan. What it does not know, it says."""
    if not view.say.strip():
        return Advice(reply="Say what you wish, for example: a bit warmer, less contrast, the sky less cyan.")
    said = listened(view.say, possible(view, list(every_wish())))
    done = fulfilled(view, said.wishes)
    lines = [f"Understood: {'; '.join(worded(wish) for wish in said.wishes)}."] if said.wishes else []
    lines += [f"Already at its end: {worded(wish)}." for wish in done.stuck]
    lines += [f"Not known, so nothing is done for it: {words!r}." for words in said.unknown]
    if not said.wishes and not said.unknown:
        lines.append("Nothing is to be changed.")
    return Advice(done.findings, done.patch, "\n".join([*lines, said.note] if said.note else lines))

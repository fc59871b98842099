"""Asking an advisor: what it gives is checked against the graph before anybody sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from torch import Tensor
from torch.nn.functional import interpolate

from ..graph.errors import WorkflowError, nearest, one_line
from ..graph.model import Graph, Photos
from ..graph.patch import LONGEST_REASON, Patch, apply
from ..graph.undo import undo
from . import advisors as _declared  # noqa: F401  (what is in it declares itself)
from .advisor import ADVISORS, Advisor
from .conversation import Turn
from .findings import Finding, checked
from .texts import LONGEST_LINE, said
from .view import View


def advisors() -> dict[str, Advisor]:
    """Every advisor by name."""
    return dict(sorted(ADVISORS.items()))


@dataclass(frozen=True, eq=False)
class Advised:
    """What an advisor gave for a view, checked: findings, a patch that fits the graph, and an answer in words."""

    advisor: str
    view: View
    findings: tuple[Finding, ...]
    patch: Patch
    reply: str

    @cached_property
    def graph(self) -> Graph:
        """The graph with the advice applied, with the face of the graph that was looked at."""
        return apply(self.view.graph, self.patch)

    @cached_property
    def turn(self) -> Turn:
        return Turn(self.view.say, self.advisor, self.reply, self.patch, undo(self.view.graph, self.graph))

    @property
    def conversation(self) -> tuple[Turn, ...]:
        """The conversation with this turn."""
        return (*self.view.history, self.turn)

    @cached_property
    def mask(self) -> Tensor | None:
        """Where something was found (B1HW, as large as the picture looked at); None where no finding says where."""
        found = [finding.mask for finding in self.findings if finding.mask is not None]
        if not found:
            return None
        size = tuple(self.view.picture.size)
        masks = [interpolate(mask.float().cpu(), size, mode="bilinear", align_corners=False) for mask in found]
        whole = masks[0]
        for mask in masks[1:]:
            whole = whole.maximum(mask)
        return whole

    def report(self) -> dict[str, Any]:
        """All of it as plain data."""
        return {
            "advisor": self.advisor, "findings": [finding.data() for finding in self.findings],
            "patch": [dict(edit) for edit in self.patch], "reply": self.reply,
        }  # fmt: skip

    def lines(self) -> list[str]:
        """All of it for people: the answer, what was found and why, and every edit with its reason."""
        lines = self.reply.splitlines()
        for finding in self.findings:
            sure = "left as it is" if finding.keep else f"{100.0 * finding.confidence:.0f} % sure"
            lines.append(f"{finding.what} ({sure}): {finding.why}")
        lines += [edit_line(self._named(edit)) for edit in self.patch if edit["edit"] != "link"]
        return lines or ["nothing to change"]

    def _named(self, edit: Any) -> Any:
        """An edit with its slider called as people call it."""
        graph = self.view.graph
        return {**edit, "path": graph.show(graph.path(edit["path"]))} if edit["edit"] == "set" else edit


def edit_line(edit: Any) -> str:
    """An edit of a patch as a line for people."""
    kind, reason = edit["edit"], edit.get("reason", "")
    if kind == "set":
        line = f"{edit['path']} = {_shown(edit['value'])}"
    elif kind == "add":
        values = ", ".join(f"{name} = {_shown(value)}" for name, value in edit.get("values", {}).items())
        line = f"insert {edit.get('title') or edit['node']}" + (f": {values}" if values else "")
    else:
        line = f"{kind} {edit['step']}"
    return one_line(f"{line} ({reason})" if reason else line, 2 * LONGEST_LINE)


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def ask(view: View, name: str = "auto") -> Advised:
    """What an advisor says of a view. Raises WorkflowError where there is no such advisor, or its advice does not fit."""
    known = advisors()
    if name not in known:
        raise WorkflowError(f"there is no advisor {one_line(str(name), 40)!r} {nearest(str(name)[:40], known)}")
    try:
        given = checked(known[name].function(view))
        patch = tuple(_plain(edit) for edit in given.patch)
        advised = Advised(name, view, tuple(given.findings), patch, given.reply)
        _ = advised.turn
    except WorkflowError as error:
        raise WorkflowError(f"advisor {name}: {error}") from None
    return advised


def _plain(edit: Any) -> Any:
    """An edit as plain data, its reason as one line."""
    if not isinstance(edit, Mapping):
        return edit
    return {**edit, "reason": one_line(edit["reason"], LONGEST_REASON)} if isinstance(edit.get("reason"), str) else dict(edit)


def advise(
    graph: Graph,
    photo: Photos,
    advisor: str = "auto",
    say: str = "",
    *,
    sink: str | None = None,
    history: Sequence[Turn] = (),
    **options: Any,
) -> Advised:
    """Ask an advisor about the picture that a graph makes of a photo.

    photo: as when a graph is called. say: a sentence to the advisor. sink: whose picture, where there are several.
    history: earlier turns. options: `size` looked at (long edge, px) and `settings`, as of a `View`. Raises WorkflowError.
    """
    view = View.of(graph, photo, sink, say=said(say), history=history, **options)
    return ask(view, advisor)

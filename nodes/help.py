"""Help pages for the editor, from the declarations. `make generate` writes them into web/docs."""

from __future__ import annotations

from ..ops.params import Choice, Count, Slider
from ..ops.spec import OpSpec, Param
from .mappings import NODE_CLASS_MAPPINGS


def page(spec: OpSpec) -> str:
    """The help page of one node, in Markdown."""
    lines = [f"# {spec.label}", "", spec.summary, ""]
    if spec.inputs:
        lines += ["| input | socket | |", "|---|---|---|"]
        lines += [f"| {e.name} | {e.socket}{'' if e.required else ', optional'} | {e.tip} |" for e in spec.inputs]
        lines.append("")
    if spec.params:
        lines += ["| parameter | range | default | |", "|---|---|---|---|"]
        lines += [f"| {p.name} | {_range(p)} | {_shown(p.default)} | {p.tip} |" for p in spec.params]
        lines.append("")
    if spec.outputs:
        lines += [f"Gives: {', '.join(output.socket for output in spec.outputs)}.", ""]
    if spec.notes:
        lines += [spec.notes, ""]
    lines.append(f"`{spec.node_id}`")
    return "\n".join(lines) + "\n"


def _range(param: Param) -> str:
    kind = param.kind
    if isinstance(kind, Slider):
        low, high = kind.comfortable
        unit = f" {kind.unit}" if kind.unit else ""
        return f"{low:g} to {high:g}{unit}" + (f" (at most {kind.low:g} to {kind.high:g})" if kind.soft else "")
    if isinstance(kind, Count):
        return f"{kind.low:g} to {kind.high:g}{' ' + kind.unit if kind.unit else ''}"
    return ", ".join(kind.options) if isinstance(kind, Choice) else ""


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def pages() -> dict[str, str]:
    """File name -> text."""
    return {f"{node_id}.md": page(cls.SPEC) for node_id, cls in NODE_CLASS_MAPPINGS.items()}  # type: ignore[attr-defined]

"""An advisor as somebody would add one: a file, a function, a docstring."""

from luxgrad.advice.advisor import advisor
from luxgrad.advice.findings import Advice, Finding
from luxgrad.advice.view import View


@advisor
def probe(view: View) -> Advice:
    """Brightens by half a stop when it is told to, and says where the picture is dark."""
    dark = (view.shown.mean(1, keepdim=True) < 0.05).float()
    found = Finding("dark corners", "They are dark.", 0.7, 0.2, "local", {"share": dark.mean().item()}, mask=dark)
    if "bright" not in view.say:
        return Advice([found], reply="What do you wish?")
    step = next(step for step in view.way if step.spec.id == "tone.exposure")
    edit = {"edit": "set", "path": f"{step.id}.stops", "value": step.value("stops") + 0.5, "reason": "You asked for it."}
    return Advice([found], [edit], f"Done, for the {len(view.history) + 1}. time.")

"""What our nodes saw arrive, so that a preview need not run other packs' nodes again."""

from __future__ import annotations

import hashlib
import json
import threading
import weakref
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from ..graph.ui_layout import is_link
from ..light.looked import Looked
from ..light.photo import Photo

_KEPT = 4


class Memory:
    """What our nodes saw arrive, by source step (as long as ComfyUI keeps it), and the last few photos looked at."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[weakref.ref[Photo], str]] = {}
        self._looked: OrderedDict[str, Looked] = OrderedDict()
        self._lock = threading.Lock()

    def note(self, step_id: str, photo: Photo, prompt: Mapping[str, Any] | None) -> None:
        """A foreign picture arrived at one of our nodes."""
        with self._lock:
            self._seen[step_id] = weakref.ref(photo), key_of(prompt or {}, step_id.rpartition("/")[0])

    def seen(self, step_id: str, prompt: Mapping[str, Any]) -> tuple[Photo, bool] | None:
        """What last arrived, and whether it is stale: made by another state of the workflow."""
        with self._lock:
            reference, key = self._seen.get(step_id, (None, ""))
        photo = reference() if reference is not None else None
        return None if photo is None else (photo, key != key_of(prompt, step_id.rpartition("/")[0]))

    def looked(self, key: str, whole: Any) -> Looked:
        """A photo with its last proxy; whole() opens it."""
        with self._lock:
            if key not in self._looked:
                self._looked[key] = Looked.of(whole())
                while len(self._looked) > _KEPT:
                    self._looked.popitem(last=False)
            self._looked.move_to_end(key)
            return self._looked[key]


MEMORY = Memory()


def key_of(prompt: Mapping[str, Any], node: str) -> str:
    """A hash of a node and all before it in a prompt: classes, values and wires."""
    facts, todo, seen = [], [node], set()
    while todo:
        name = todo.pop()
        entry = prompt.get(name)
        if name in seen or not isinstance(entry, Mapping):
            continue
        seen.add(name)
        facts.append((name, str(entry.get("class_type")), json.dumps(entry.get("inputs"), sort_keys=True, default=str)))
        inputs = entry.get("inputs")
        todo += [value[0] for value in inputs.values() if is_link(value)] if isinstance(inputs, Mapping) else []
    return hashlib.sha256(repr(sorted(facts)).encode()).hexdigest()

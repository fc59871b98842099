"""What an advisor gives: findings, a patch whose edits say why, and an answer in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ..graph.errors import WorkflowError, one_line
from ..graph.patch import Patch
from .texts import LONGEST_LINE, LONGEST_SAID, told

ASPECTS = ("light", "colour", "specific colour", "detail", "local")
MOST_FINDINGS = 200


@dataclass(frozen=True)
class Finding:
    """One thing seen in a picture.

    what: in a photographer's words, short. why: a sentence with what was measured. confidence: the chance, 0 to 1, that a
    photographer would agree. severity: how much it matters, 0 to 1. evidence: the numbers measured, by name. mask: where
    (B1HW, 0 to 1, of any size). keep: the photo is meant to be so, and is left as it is.
    """

    what: str
    why: str
    confidence: float
    severity: float = 0.0
    aspect: str = "light"
    evidence: Mapping[str, float] = field(default_factory=dict)
    mask: Tensor | None = None
    keep: bool = False

    def data(self) -> dict[str, Any]:
        """Plain data, without the mask itself."""
        return {
            "what": self.what, "why": self.why, "aspect": self.aspect, "confidence": round(self.confidence, 3),
            "severity": round(self.severity, 3), "evidence": {name: round(x, 4) for name, x in self.evidence.items()},
            "mask": self.mask is not None, "keep": self.keep,
        }  # fmt: skip


@dataclass(frozen=True)
class Advice:
    """What an advisor gives. reply: its answer in words; empty where the findings say it all."""

    findings: Sequence[Finding] = ()
    patch: Patch = ()
    reply: str = ""


def checked(advice: Any) -> Advice:
    """An advice whose words are fit to be shown and whose numbers are numbers. Raises WorkflowError."""
    if not isinstance(advice, Advice):
        raise WorkflowError(f"expected an Advice; got {type(advice).__name__}")
    if len(advice.findings) > MOST_FINDINGS:
        raise WorkflowError(f"expected at most {MOST_FINDINGS} findings; got {len(advice.findings)}")
    return Advice(
        tuple(_checked(finding) for finding in advice.findings), tuple(advice.patch), told(advice.reply, LONGEST_SAID)
    )


def _checked(finding: Any) -> Finding:
    if not isinstance(finding, Finding) or not isinstance(finding.evidence, Mapping):
        raise WorkflowError(f"expected findings; got {type(finding).__name__}")
    name = one_line(str(finding.what), 40)
    if finding.aspect not in ASPECTS:
        raise WorkflowError(f"finding {name!r}: expected an aspect of {', '.join(ASPECTS)}; got {str(finding.aspect)[:40]!r}")
    for word, number in (("confidence", finding.confidence), ("severity", finding.severity)):
        if not isinstance(number, (int, float)) or not 0.0 <= number <= 1.0:
            raise WorkflowError(f"finding {name!r}: expected a {word} from 0 to 1; got {str(number)[:40]}")
    evidence = {one_line(str(key), 60): _number(name, value) for key, value in list(finding.evidence.items())[:50]}
    what, why = (one_line(str(text), LONGEST_LINE) for text in (finding.what, finding.why))
    return Finding(what, why, float(finding.confidence), float(finding.severity), finding.aspect, evidence,
                   None if finding.mask is None else _mask(name, finding.mask), bool(finding.keep))  # fmt: skip


def _number(name: str, value: Any) -> float:
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        raise WorkflowError(f"finding {name!r}: expected finite numbers as evidence; got {str(value)[:40]}")
    return float(value)


def _mask(name: str, mask: Any) -> Tensor:
    if not isinstance(mask, Tensor) or mask.ndim != 4 or mask.shape[1] != 1 or not mask.is_floating_point():
        raise WorkflowError(f"finding {name!r}: expected a mask of shape (B,1,H,W)")
    if not torch.isfinite(mask).all():
        raise WorkflowError(f"finding {name!r}: expected a mask of finite numbers")
    return mask.detach().clamp(0.0, 1.0)

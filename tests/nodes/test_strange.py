"""Damaged prompts and documents at the nodes: a preview or one line, and no picture or fit lost to a document."""

from __future__ import annotations

import importlib
import json
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import assume, given

from luxgrad.graph.embedding import texts_of
from luxgrad.graph.errors import WorkflowError
from luxgrad.graph.schema import parse
from luxgrad.nodes.told import write_back

from ..graph.strange import damaged
from ..graph.test_strange import DOCUMENTS
from .conftest import ROOT
from .test_live import exposed

PROMPTS = [exposed(0.5), exposed(-1.0, "8")]


@pytest.fixture(scope="module")
def live(pack: ModuleType) -> Any:
    assert pack.NODE_CLASS_MAPPINGS
    return importlib.import_module(f"{pack.__name__}.nodes.live")


def one_line(error: ValueError) -> None:
    assert str(error).isprintable()
    assert len(str(error)) > 10


@given(text=damaged(PROMPTS))
def test_a_damaged_prompt_gives_a_preview_or_one_line(live: Any, text: str) -> None:
    if not Path("kitten.png").exists():
        shutil.copy(ROOT / "workflows" / "photos" / "kitten.png", ".")
    try:
        prompt = json.loads(text)  # as the server reads it: with NaN, and however deep Python reads
    except RecursionError:
        return
    try:
        picture, _ = live.preview(prompt, "3", 16)
    except ValueError as error:
        one_line(error)
    else:
        assert picture.startswith(b"\xff\xd8")


@given(text=damaged(DOCUMENTS))
def test_values_are_written_back_into_a_document_that_can_be_read_and_no_fit_is_lost_to_another(text: str) -> None:
    try:
        document = json.loads(text)
    except RecursionError:
        return
    values = [{"node": node, "name": name, "value": 0.5} for node in ("2", "7:3", "7") for name in ("stops", "action")]
    prompt: dict[str, Any] = {"2": {"inputs": {}}}
    unknown = {"nodes": [{"id": 2, "type": "Foreign", "widgets_values": [1]}], "links": []}
    write_back(values, prompt, {"workflow": unknown})
    for extra in ({"workflow": document}, document, [document], None):
        write_back(values, prompt, extra)
    assert prompt["2"]["inputs"] == {"stops": 0.5, "action": 0.5}


@given(text=damaged(DOCUMENTS))
def test_a_picture_carries_a_damaged_document_as_json_or_says_why_not(text: str) -> None:
    try:
        document = json.loads(text)
    except RecursionError:
        return
    assume(document)
    try:
        texts = texts_of(None, document)
    except WorkflowError as error:
        one_line(error)
        return
    parse(texts["workflow"].encode("utf-8"))


@pytest.mark.parametrize("deep", [63, 64, 65, 200])
def test_a_picture_carries_what_is_nested_as_deeply_as_a_reader_takes(deep: int) -> None:
    document = json.loads("[" * deep + "]" * deep)
    if deep <= 64:
        parse(texts_of(None, document or [1])["workflow"])
    else:
        with pytest.raises(WorkflowError, match="expected a workflow of lists and objects at most 64 deep"):
            texts_of(None, document)

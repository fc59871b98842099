"""Sentences made by chance mean what they say, and a tiny language model learns from them, over a stop."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from luxgrad.advice.language.choosing import grammar_of
from luxgrad.advice.language.grammar import UNKNOWN, Grammar, phrases
from luxgrad.files.errors import FileError
from luxgrad.training.dialogue.sentences import example
from luxgrad.training.dialogue.train import ADAPTER, Config, loss_of, train
from luxgrad.training.dialogue.weighing import weighing

from ..advice.tiny import tiny

CONFIG = Config(steps=4, batch=6, rank=4, rate=0.01, every=2)


def test_every_sentence_has_phrases_of_the_grammar_and_is_drawn_again_by_its_number() -> None:
    known = phrases()
    examples = [example(random.Random(number)) for number in range(2000)]
    assert examples == [example(random.Random(number)) for number in range(2000)]
    for one in examples:
        assert set(one.said) <= set(known)
        assert 0 < len(one.sentence) < 300
        assert one.sentence.isprintable()
    meant = {phrase for one in examples for phrase in one.said}
    assert len(meant) > 200
    assert 0.05 < sum(UNKNOWN in one.said for one in examples) / len(examples) < 0.3
    assert 0.05 < sum(bool(one.before) for one in examples) / len(examples) < 0.2


def test_a_tiny_language_model_learns() -> None:
    found = tiny()
    examples = [example(random.Random(number)) for number in range(24)]
    grammar = Grammar(phrases(), found.encode)
    for weight in found.network.parameters():
        weight.requires_grad_(True)
    optimiser = torch.optim.Adam(found.network.parameters(), 0.01)
    losses = []
    for _ in range(12):
        loss, _ = loss_of(found, grammar, examples)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]


def test_a_stopped_training_goes_on_to_the_same_adapter(tmp_path: Path) -> None:
    train(tiny(), CONFIG, tmp_path / "whole")
    train(tiny(), CONFIG, tmp_path / "stopped", minutes=0.0)
    assert len((tmp_path / "stopped" / "curve.csv").read_text().splitlines()) == 2
    train(tiny(), CONFIG, tmp_path / "stopped")
    whole, stopped = (load_file(tmp_path / name / ADAPTER) for name in ("whole", "stopped"))
    assert whole.keys() == stopped.keys()
    for name in whole:
        torch.testing.assert_close(whole[name], stopped[name])
    with pytest.raises(FileError, match="expected the state of the same training; it differs in batch"):
        train(tiny(), Config(steps=4, batch=7, rank=4, rate=0.01, every=2), tmp_path / "stopped")


def test_only_the_adapter_is_learned(tmp_path: Path) -> None:
    found = tiny()
    before = {name: weight.clone() for name, weight in found.network.state_dict().items()}
    adapters = train(found, CONFIG, tmp_path / "out")
    after = found.network.state_dict()
    for name, weight in before.items():
        held = name.replace("_proj.", "_proj.held.")
        torch.testing.assert_close(after[held if held in after else name], weight)
    assert any(part.up.abs().max() > 0.0 for part in adapters.values())


def test_lessons_about_findings_are_phrases_of_their_grammar_and_are_learned() -> None:
    found = tiny()
    sentences = Grammar(phrases(), found.encode)
    lessons = [weighing(random.Random(number)) for number in range(100)]
    for one in lessons:
        grammar = grammar_of(one.findings, found.encode)
        place = grammar.start
        for token in grammar.tokens_of(one.said, found.encode):
            place = grammar.after(place, token)
        assert place.over
        chosen, _ = grammar.meaning(one.said)
        weights = [round(f.severity, 1) * round(f.confidence, 1) for f in (one.findings[choice.number] for choice in chosen)]
        assert weights == sorted(weights, reverse=True)
    loss, _ = loss_of(found, sentences, [lessons[0], example(random.Random(0))])
    assert torch.isfinite(loss)
    assert any(not one.said for one in lessons)

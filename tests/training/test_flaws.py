"""The synthesiser of flaws tells the exact truth about pictures that a person would believe."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import luxgrad
from luxgrad.light.difference import delta_e_2000
from luxgrad.light.planes import planes
from luxgrad.light.spaces import to_lab
from luxgrad.training.flaws import difference_mask, procedural_cloth, procedural_skin, sheet, synthesise, synthesiser
from luxgrad.training.flaws.draws import Draw
from luxgrad.training.flaws.kinds import KINDS

ABSORBING = ("spot", "mole", "dark_circle", "stain", "dust")


def grey(height: int, width: int, light: float = 0.4) -> Tensor:
    return torch.full((1, 3, height, width), light)


def photo(photos) -> Tensor:
    return luxgrad.load(photos / "portrait.jpg").pixels[:, :, 20:212, 980:1202].contiguous()


def ground(group: str) -> Tensor:
    """A clean picture on which flaws of a group are at home."""
    made = procedural_skin if group == "skin" else procedural_cloth
    return made((160, 200), 4, 0.5)


def only(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(synthesiser, "KINDS", {kind: KINDS[kind]})


def test_one_seed_gives_one_picture_and_another_seed_another(photos) -> None:
    light = photo(photos)
    one, same, other = synthesise(light, 5), synthesise(light.clone(), 5), synthesise(light, 6)
    assert torch.equal(one.light, same.light)
    assert torch.equal(one.mask, same.mask)
    assert one.instances == same.instances
    assert one.instances != other.instances
    assert torch.equal(one.clean, light)


def test_random_numbers_are_the_same_on_every_machine() -> None:
    draw = Draw(7, "skin")
    assert [draw.uniform(0.0, 1.0), draw.whole(1, 6), draw.spread(1.0, 100.0)] == pytest.approx(
        [0.9867158212838071, 3, 13.795717160606133]
    )
    assert draw.grains(1, 3, torch.empty(0)).flatten().tolist() == pytest.approx(
        [0.0334099531, -0.0634716749, 0.571244359], abs=1e-6
    )


def test_what_one_flaw_draws_never_moves_another(photos) -> None:
    light = photo(photos)
    few, more = synthesise(light, 3, count=3), synthesise(light, 3, count=6)
    assert few.instances == more.instances[: len(few.instances)]


@pytest.mark.parametrize("seed", range(6))
def test_the_mask_is_zero_exactly_where_nothing_changed(photos, seed: int) -> None:
    light = [photo(photos), ground("skin"), ground("cloth")][seed % 3]
    truth = synthesise(light, seed, count=10)
    changed = ((truth.light - light).abs() > 1e-6).any(1, keepdim=True)
    assert changed.any()
    assert torch.equal(truth.mask > 0.0, changed)
    assert torch.equal(truth.light[~changed.expand_as(light)], light[~changed.expand_as(light)])
    assert truth.mask.min().item() >= 0.0
    assert truth.mask.max().item() <= 1.0


def test_the_mask_rises_with_the_visible_change() -> None:
    light = grey(128, 128)
    truth = synthesise(light, 2, ("dust",), count=1, scale=4.0)
    change = (light - truth.light)[0, 0].flatten()
    order = change.argsort()[(change.sort().values > 0.0)]
    mask = truth.mask.flatten()[order]
    assert len(order) > 20
    assert (mask.diff() >= -1e-6).all()
    assert mask[-1].item() > 0.5


def test_boxes_contain_the_masks_and_the_masks_make_the_whole(photos) -> None:
    light = photo(photos)
    truth = synthesise(light, 8, count=12)
    kept = torch.ones_like(truth.mask)
    for flaw in truth.instances:
        mask = flaw.mask(*light.shape[-2:])
        rows, columns = torch.nonzero(mask[0, 0].amax(1)).flatten(), torch.nonzero(mask[0, 0].amax(0)).flatten()
        assert (rows[0], rows[-1] + 1) == (flaw.box.top, flaw.box.top + flaw.box.height)
        assert (columns[0], columns[-1] + 1) == (flaw.box.left, flaw.box.left + flaw.box.width)
        assert mask.max().item() >= 0.25
        kept *= 1.0 - mask
    torch.testing.assert_close(torch.where(truth.mask > 0.0, 1.0 - kept, 0.0), truth.mask, atol=2e-6, rtol=0.0)


def test_sizes_scale_with_the_picture_and_with_the_scene() -> None:
    small, large = (synthesise(grey(edge, edge), 4, count=8).instances for edge in (512, 1024))
    zoomed = synthesise(grey(512, 512), 4, count=8, scale=1.0).instances
    assert [flaw.kind for flaw in small] == [flaw.kind for flaw in large] == [flaw.kind for flaw in zoomed]
    for one, two, three in zip(small, large, zoomed):
        assert two.size == pytest.approx(max(2.0, 2.0 * one.size), rel=1e-6)
        assert three.size == pytest.approx(two.size)
        assert 3.0 <= two.size <= 300.0


def test_each_kind_spans_sizes_between_3_and_300_px() -> None:
    assert min(kind.sizes[0] for kind in KINDS.values()) >= 3
    assert max(kind.sizes[1] for kind in KINDS.values()) == 300
    assert {kind.group for kind in KINDS.values()} == {"skin", "cloth", "dust"}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_kind_is_seen_where_its_mask_is(monkeypatch, kind: str) -> None:
    only(monkeypatch, kind)
    light = ground(KINDS[kind].group)
    truth = synthesise(light, 1, (KINDS[kind].group,), count=4, scale=0.6)
    assert {flaw.kind for flaw in truth.instances} == {kind}
    apart = delta_e_2000(to_lab(*planes(truth.light)), to_lab(*planes(light)))
    assert apart[truth.mask > 0.5].mean().item() > 1.0
    assert apart[truth.mask == 0.0].max().item() < 1e-3


@pytest.mark.parametrize("kind", ABSORBING)
def test_what_absorbs_keeps_the_texture_underneath(monkeypatch, kind: str) -> None:
    only(monkeypatch, kind)
    grain = torch.exp2(0.25 * torch.randn(1, 3, 160, 200, generator=torch.Generator().manual_seed(1)))
    light = ground(KINDS[kind].group) * grain
    truth = synthesise(light, 1, (KINDS[kind].group,), count=3, scale=2.0)
    fine = [torch.log2(picture) - F.avg_pool2d(torch.log2(picture), 3, 1, 1) for picture in (truth.light, light)]
    inside = (truth.mask > 0.3).expand_as(light)
    assert inside.sum() > 300
    assert torch.corrcoef(torch.stack([picture[inside] for picture in fine]))[0, 1].item() > 0.9


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (31, 2), (33, 57), (5, 400)])
def test_any_size_is_served(size: tuple[int, int]) -> None:
    light = grey(*size)
    truth = synthesise(light, 1, count=6)
    assert truth.light.shape == light.shape
    assert truth.mask.shape == (1, 1, *size)
    assert torch.isfinite(truth.light).all()
    assert procedural_skin(size, 1).shape == procedural_cloth(size, 1).shape == light.shape


def test_no_flaws_are_the_identity(photos) -> None:
    light = photo(photos)
    for truth in (synthesise(light, 1, count=0), synthesise(light, 1, groups=())):
        assert torch.equal(truth.light, light)
        assert not truth.mask.any()
        assert truth.instances == ()


@pytest.mark.parametrize("light", [grey(64, 64, 0.0), grey(64, 64, -0.01), grey(64, 64, 80.0), grey(64, 64, 1e-7)])
def test_black_negative_and_hdr_light_stay_finite_and_the_truth_exact(light: Tensor) -> None:
    for seed in range(4):
        truth = synthesise(light, seed, count=8, scale=0.5)
        assert torch.isfinite(truth.light).all()
        assert torch.equal(truth.mask > 0.0, ((truth.light - light).abs() > 1e-6).any(1, keepdim=True))


def test_flaws_of_skin_lie_on_skin_and_flaws_of_cloth_on_cloth() -> None:
    skin = procedural_skin((200, 200), 6)
    blue = torch.tensor([0.05, 0.1, 0.3]).view(1, 3, 1, 1).expand(1, 3, 200, 200)
    light = torch.cat([skin, blue], dim=3)
    flaws = [flaw for seed in range(6) for flaw in synthesise(light, seed, ("skin", "cloth"), count=6).instances]
    assert {flaw.group for flaw in flaws} == {"skin", "cloth"}
    right = [flaw for flaw in flaws if (flaw.x < 200) == (flaw.group == "skin")]
    assert len(right) >= 0.9 * len(flaws)


def test_dust_lies_where_it_lies_whatever_the_photo() -> None:
    places = [
        [(flaw.y, flaw.x) for flaw in synthesise(grey(96, 96, light), 3, ("dust",), count=5).instances] for light in (0.3, 0.6)
    ]
    assert len(places[0]) == 5
    assert places[0] == places[1]


def test_asked_groups_are_the_only_ones() -> None:
    truth = synthesise(grey(128, 128), 1, ("dust",), count=6)
    assert {flaw.group for flaw in truth.instances} == {"dust"}


def test_the_difference_mask_is_a_threshold_on_srgb_codes() -> None:
    clean = grey(1, 3, 0.2)
    flawed = clean * torch.tensor([1.0, 0.98, 0.8]).view(1, 1, 1, 3)
    assert difference_mask(flawed, clean).flatten().tolist() == [0.0, 0.0, 1.0]
    assert difference_mask(flawed, clean, 1e-3).flatten().tolist() == [0.0, 1.0, 1.0]


def test_what_differs_visibly_is_masked(photos) -> None:
    light = photo(photos)
    truth = synthesise(light, 9, count=10)
    hard = difference_mask(truth.light, truth.clean)
    assert hard.any()
    assert truth.mask[hard > 0.0].min().item() > 0.05


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"light": torch.zeros(2, 3, 8, 8)}, r"one picture of shape \(1, 3, H, W\); got \(2, 3, 8, 8\)"),
        ({"light": torch.zeros(1, 3, 0, 8)}, r"got \(1, 3, 0, 8\)"),
        ({"light": torch.full((1, 3, 8, 8), torch.nan)}, "expected finite light"),
        ({"groups": ("skin", "hair")}, "skin, cloth, dust; got hair"),
        ({"scale": 0.0}, "a scale above 0; got 0"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(options: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        synthesise(**{"light": grey(8, 8), "seed": 0, **options})


def test_procedural_pictures_are_repeatable_finite_and_of_many_tones() -> None:
    for made in (procedural_skin, procedural_cloth):
        pictures = [made((40, 60), seed) for seed in range(8)]
        assert torch.equal(pictures[3], made((40, 60), 3))
        assert all(torch.isfinite(picture).all() and picture.min() >= 0.0 for picture in pictures)
        tones = torch.stack([picture[:, 1].mean() for picture in pictures])
        assert (tones.max() / tones.min()).item() > 3.0


def test_the_sheet_of_flaws_is_written(tmp_path, monkeypatch, photos) -> None:
    out = tmp_path / "sheet.png"
    arguments = ["sheet", str(out), str(photos / "sunset.jpg"), "--procedural", "1", "--edge", "64", "--count", "4"]
    monkeypatch.setattr("sys.argv", arguments)
    sheet.main()
    size = luxgrad.load(out).size
    assert size.width == 4 * (64 + 8) + 8
    assert size.height > 3 * 36

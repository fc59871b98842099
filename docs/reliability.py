"""Draw how far the diagnoser's confidence can be believed, from its entry in the manifest: python docs/reliability.py"""

from pathlib import Path

from PIL import Image, ImageDraw

from luxgrad.networks.weights import manifest

SIDE, EDGE, SCALE = 320, 56, 2
INK, GREY, BLUE = (40, 40, 44), (205, 205, 210), (52, 101, 164)


def diagram(title: str, bins: list[list[float]], error: float) -> Image.Image:
    """Confidence across, frequency up; a dot's area is how many cases it stands for; on the line they agree."""
    whole = Image.new("RGB", ((SIDE + 2 * EDGE) * SCALE, (SIDE + 2 * EDGE) * SCALE), "white")
    draw = ImageDraw.Draw(whole)

    def at(x: float, y: float) -> tuple[float, float]:
        return SCALE * (EDGE + SIDE * x), SCALE * (EDGE + SIDE * (1.0 - y))

    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        draw.line([at(share, 0.0), at(share, 1.0)], GREY, SCALE)
        draw.line([at(0.0, share), at(1.0, share)], GREY, SCALE)
        draw.text(at(share, -0.03), f"{share:.0%}", INK, anchor="ma", font_size=11 * SCALE)
        draw.text(at(-0.02, share), f"{share:.0%}", INK, anchor="rm", font_size=11 * SCALE)
    draw.line([at(0.0, 0.0), at(1.0, 1.0)], INK, SCALE)
    total = sum(count for _, _, count in bins)
    for confidence, frequency, count in bins:
        x, y = at(confidence, frequency)
        radius = SCALE * (3.0 + 14.0 * (count / total) ** 0.5)
        draw.ellipse([x - radius, y - radius, x + radius, y + radius], BLUE)
        draw.text((x + radius + 3, y), f"{count:.0f}", INK, anchor="lm", font_size=9 * SCALE)
    draw.text(at(0.5, 1.08), f"{title}: error {100.0 * error:.1f} %", INK, anchor="mm", font_size=13 * SCALE)
    draw.text(at(0.5, -0.12), "how sure it says it is", INK, anchor="mm", font_size=12 * SCALE)
    draw.text(at(0.02, 0.97), "how often it is right", INK, anchor="lm", font_size=12 * SCALE)
    return whole


metrics = manifest()["diagnoser"]["metrics"]
pair = [
    diagram("light and colour", metrics["reliability"], metrics["calibration_error"]),
    diagram("noise and softness", metrics["reliability_of_detail"], metrics["calibration_error_of_detail"]),
]
sheet = Image.new("RGB", (sum(one.width for one in pair), pair[0].height), "white")
for number, one in enumerate(pair):
    sheet.paste(one, (number * one.width, 0))
sheet.save(Path(__file__).parent / "pictures" / "reliability.jpg", quality=88)

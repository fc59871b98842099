"""What travels beside the pixels: EXIF and XMP kept byte for byte, changed only where they must, and never believed."""

from __future__ import annotations

import json
import struct
import subprocess
import time
from pathlib import Path

import pytest
import torch
from PIL import Image, PngImagePlugin

import luxgrad
from luxgrad.files.decode import decode, glance
from luxgrad.files.exif import BLOCK, read_exif, without_maker_note
from luxgrad.files.exif_block import PREFIX, fitted, with_texts
from luxgrad.files.info import photo_info
from luxgrad.files.names import expanded
from luxgrad.files.xmp import EMPTY, handed_on, texts_of, walk
from luxgrad.files.xmp_extended import MOST_IN_SEGMENT, joined, split
from luxgrad.light.photo import Photo

from .oracles import program

CAMERA = "http://ns.adobe.com/xap/1.0/"
PACKET = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
 <rdf:Description rdf:about="uuid:1" xmlns:xmp="{CAMERA}" xmlns:tiff="http://ns.adobe.com/tiff/1.0/"
   xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
   xmlns:dc="http://purl.org/dc/elements/1.1/" xmp:Rating="4" tiff:Orientation='6' photoshop:City="Zürich"
   exif:GPSLatitude="47,22.5N">
  <dc:title><rdf:Alt><rdf:li xml:lang="x-default">A &lt;lake&gt;</rdf:li></rdf:Alt></dc:title>
  <exif:GPSLongitude>8,32.5E</exif:GPSLongitude>
  <exif:PixelXDimension>4000</exif:PixelXDimension>
 </rdf:Description>
</rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>""".encode()
UNCHANGED = PACKET.replace(b"tiff:Orientation='6'", b"tiff:Orientation='1'").replace(b">4000<", b">30<")


def exiftool(path: Path, *options: str) -> dict[str, object]:
    done = subprocess.run(
        [program("exiftool"), "-json", "-n", "-a", "-G1", *options, str(path)], capture_output=True, check=True
    )
    found = json.loads(done.stdout.decode("utf-8", "replace"))[0]
    found.pop("SourceFile")
    return found


def block(order: str = "<", note: bytes = b"", thumbnail: bytes = b"") -> bytes:
    """A TIFF structure with camera, orientation 6, size, place, a maker note that points into the block, and a thumbnail."""
    texts = {0x010F: b"Maker\0", 0x0110: b"Camera One\0"}
    data = bytearray((b"II*\0" if order == "<" else b"MM\0*") + b"\0\0\0\0")

    def put(body: bytes) -> int:
        data.extend(b"\0" * (len(data) % 2) + body)
        return len(data) - len(body)

    def directory(entries: list[tuple[int, int, int, bytes]], following: int = 0) -> int:
        packed = b""
        for tag, kind, count, body in sorted(entries):
            value = body.ljust(4, b"\0") if len(body) <= 4 else struct.pack(order + "I", put(body))
            packed += struct.pack(order + "HHI", tag, kind, count) + value
        return put(struct.pack(order + "H", len(entries)) + packed + struct.pack(order + "I", following))

    def number(value: int, kind: str = "H") -> bytes:
        return struct.pack(order + kind, value)

    degrees = b"".join(struct.pack(order + "II", *pair) for pair in ((47, 1), (22, 1), (30, 1)))
    gps = directory([(1, 2, 2, b"S\0"), (2, 5, 3, degrees), (3, 2, 2, b"E\0"), (4, 5, 3, degrees)])
    exposure = [(0x829A, 5, 1, struct.pack(order + "II", 1, 250)), (0xA001, 3, 1, number(2)), (0xA002, 3, 1, number(4000)),
                (0xA003, 4, 1, number(3000, "I"))]  # fmt: skip
    if note:
        exposure.append((0x927C, 7, len(note), note))
    inner = directory(exposure)
    entries = [(tag, 2, len(text), text) for tag, text in texts.items()]
    entries += [(0x0112, 3, 1, number(6)), (0x8769, 4, 1, number(inner, "I")), (0x8825, 4, 1, number(gps, "I"))]
    second = 0
    if thumbnail:
        place = len(data) + 400
        second = place - 60
    first = directory(entries, second)
    if thumbnail:
        data.extend(b"\0" * (second - len(data)))
        start = struct.pack(order + "I", place)
        directory([(0x0201, 4, 1, start), (0x0202, 4, 1, struct.pack(order + "I", len(thumbnail)))])
        data.extend(b"\0" * (place - len(data)) + thumbnail)
    struct.pack_into(order + "I", data, 4, first)
    return bytes(data)


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_block_is_changed_in_place_so_that_a_maker_note_stays_where_it_was(order: str) -> None:
    note = b"Unknown maker, counts from the start of the block"
    before = block(order, note, b"\xff\xd8thumbnail\xff\xd9")
    values, orientation = read_exif(before)
    after = fitted(values[BLOCK], (30, 20), "sRGB", location=True).removeprefix(PREFIX)
    assert orientation == 6
    assert values["Model"] == "Camera One"
    assert values["ExposureTime"] == pytest.approx(0.004)
    assert after.index(note) == before.index(note)
    assert b"thumbnail" not in after
    assert len(after) < len(before)
    again = Image.Exif()
    again.load(after)
    inner = again.get_ifd(0x8769)
    assert (again[0x0112], inner[0xA001], inner[0xA002], inner[0xA003]) == (1, 1, 30, 20)
    assert again.get_ifd(0x8825)[1] == "S"


def test_a_block_that_nothing_must_change_in_comes_back_byte_for_byte() -> None:
    once = fitted(read_exif(block())[0][BLOCK], (30, 20), "sRGB", location=True)
    assert fitted(read_exif(once)[0][BLOCK], (30, 20), "sRGB", location=True) == once


def test_places_are_signed_degrees_and_go_with_the_maker_note_where_they_are_not_wanted() -> None:
    values, _ = read_exif(block(note=b"City of Zurich"))
    assert values["GPSLatitude"] == pytest.approx(-47.375)
    assert values["GPSLongitude"] == pytest.approx(47.375)
    bare = fitted(values[BLOCK], (30, 20), "Rec.2020", location=False)
    again, _ = read_exif(bare)
    assert not [name for name in again if "GPS" in name]
    assert again["Model"] == "Camera One"
    assert again["ColorSpace"] == 65535
    assert struct.pack("<II", 47, 1) not in bare
    assert b"Zurich" not in bare


def test_texts_are_added_to_a_block_without_moving_what_is_there() -> None:
    note = b"Unknown maker"
    before = block(note=note)
    after = with_texts(before, {0x010E: 'prompt:{"a": 1}'}).removeprefix(PREFIX)
    again = Image.Exif()
    again.load(after)
    assert again[0x010E] == 'prompt:{"a": 1}'
    assert again[0x0110] == "Camera One"
    assert after.index(note) == before.index(note)


@pytest.mark.parametrize("cut", [0, 4, 9, 20, 60, 120])
def test_a_damaged_block_gives_what_can_be_read_and_never_fails(cut: int, tmp_path: Path) -> None:
    values, _ = read_exif(block()[:cut])
    luxgrad.save(Photo(torch.zeros(1, 3, 4, 4), metadata=values), tmp_path / "a.jpg", metadata="without location")
    assert not [name for name in luxgrad.load(tmp_path / "a.jpg").metadata if "GPS" in name]


def test_a_maker_note_too_long_for_a_jpeg_gives_way_to_the_rest(tmp_path: Path) -> None:
    values, _ = read_exif(block(note=b"n" * 80_000))
    luxgrad.save(Photo(torch.zeros(1, 3, 4, 4), metadata=values), tmp_path / "a.jpg")
    assert luxgrad.load(tmp_path / "a.jpg").metadata["Model"] == "Camera One"
    assert len(without_maker_note(values[BLOCK])) < 1000
    luxgrad.save(Photo(torch.zeros(1, 3, 4, 4), metadata=values), tmp_path / "a.png")
    assert b"n" * 80_000 in decode(tmp_path / "a.png").exif


def test_a_place_goes_also_where_two_directories_share_it() -> None:
    shared = bytearray(block())
    inner = next(at for at in range(len(shared)) if shared[at : at + 4] == struct.pack("<HH", 0xA003, 4))
    place = next(at for at in range(len(shared)) if shared[at : at + 4] == struct.pack("<HH", 0x8825, 4))
    shared[inner : inner + 12] = struct.pack("<HHI", 0xA005, 4, 1) + shared[place + 8 : place + 12]
    values, _ = read_exif(bytes(shared))
    assert "GPSLatitude" in values
    assert struct.pack("<II", 47, 1) not in fitted(values[BLOCK], (30, 20), "sRGB", location=False)
    assert "GPSLatitude" in read_exif(fitted(values[BLOCK], (30, 20), "Rec.2020", location=True))[0]


def test_a_tiff_keeps_every_entry_of_the_first_directory(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x011A], exif[0x4746], exif[0x010E] = "Maker", 300.0, 4, "a lake"
    exif[0x8769] = {0xA432: (18.0, 55.0, 3.5, 5.6), 0x9214: (10, 20, 30), 0x9286: b"ASCII\0\0\0words"}
    Image.new("RGB", (30, 20)).save(tmp_path / "a.jpg", exif=exif)
    luxgrad.save(luxgrad.load(tmp_path / "a.jpg"), tmp_path / "a.tif")
    luxgrad.save(luxgrad.load(tmp_path / "a.tif"), tmp_path / "b.jpg")
    for name in ("a.tif", "b.jpg"):
        found = exiftool(tmp_path / name, "-EXIF:all", "-warning")
        assert (found["IFD0:Make"], found["IFD0:XResolution"], found["IFD0:Rating"]) == ("Maker", 300, 4)
        assert found["ExifIFD:LensInfo"] == "18 55 3.5 5.6"
        assert found["ExifIFD:SubjectArea"] == "10 20 30"
        assert found["ExifIFD:UserComment"] == "words"
        assert not [entry for entry in found if "Warning" in entry]


def test_every_tag_of_a_real_maker_note_survives(root: Path, tmp_path: Path) -> None:
    source = root / "workflows" / "photos" / "spices.jpg"
    before = exiftool(source, "-EXIF:all", "-MakerNotes:all")
    photo = luxgrad.load(source)
    luxgrad.save(photo, tmp_path / "a.jpg")
    after = exiftool(tmp_path / "a.jpg", "-EXIF:all", "-MakerNotes:all")
    changes = {name for name, value in before.items() if after.get(name) != value and "IFD1" not in name}
    assert {name.partition(":")[2] for name in changes} <= {
        "ExifImageWidth", "ExifImageHeight", "ColorSpace", "Orientation", "ImageWidth", "ImageHeight", "YCbCrPositioning",
        "InteropIndex", "InteropVersion",
    }  # fmt: skip
    assert exiftool(tmp_path / "a.jpg", "-warning") == exiftool(source, "-warning")


def test_a_packet_that_nothing_must_change_in_comes_back_byte_for_byte() -> None:
    assert handed_on(UNCHANGED, (30, 20)) is UNCHANGED
    wide = UNCHANGED.decode().encode("utf-16")
    assert handed_on(wide, (30, 20)) is wide


def test_a_packet_is_turned_upright_and_resized_and_is_otherwise_as_it_was() -> None:
    assert handed_on(PACKET, (30, 20)) == UNCHANGED


def test_a_packet_loses_the_place_and_keeps_the_rest() -> None:
    bare = handed_on(PACKET, (30, 20), location=False)
    for word in ("Zürich", "GPS", "47,22"):
        assert word.encode() not in bare
    names = {entry.name: entry.text for entry in walk(bare).properties if entry.depth == 0}
    assert names["Rating"] == "4"
    assert b"A &lt;lake&gt;" in bare


@pytest.mark.parametrize("packet", [None, PACKET, EMPTY, PACKET.replace(b"\n", b"\r\n")])
def test_a_workflow_goes_into_a_packet_and_comes_out_again(packet: bytes | None) -> None:
    text = json.dumps({"1": {"inputs": {"text": 'a <b> & "c" ]]> é'}}})
    once = handed_on(packet, (30, 20), texts={"workflow": "old"})
    twice = handed_on(once, (30, 20), texts={"workflow": text, "prompt": "{}"})
    assert texts_of(twice) == {"workflow": text, "prompt": "{}"}
    assert texts_of(handed_on(twice, (30, 20))) == {}


@pytest.mark.parametrize("length", [100, 65_000, 66_000, 300_000])
def test_a_long_packet_is_split_into_segments_that_join_again(length: int, tmp_path: Path) -> None:
    packet = handed_on(UNCHANGED, (30, 20), texts={"workflow": "x" * length})
    main, more = split(packet)
    assert len(main) <= MOST_IN_SEGMENT
    assert all(len(body) < 65534 for body in more)
    assert texts_of(joined(main, more))["workflow"] == "x" * length
    assert b"Rating" in joined(main, reversed(more))
    if more:
        assert joined(main, more[1:]) == main
    photo = Photo(torch.zeros(1, 3, 20, 30), metadata={"XMP": packet})
    luxgrad.save(photo, tmp_path / "a.jpg")
    assert b"Rating" in decode(tmp_path / "a.jpg").xmp


def test_exiftool_reads_extended_xmp(tmp_path: Path) -> None:
    luxgrad.save(Photo(torch.zeros(1, 3, 20, 30), metadata={"XMP": PACKET + b" " * 70_000}), tmp_path / "a.jpg")
    found = exiftool(tmp_path / "a.jpg", "-XMP:all", "-warning")
    assert found["XMP-xmp:Rating"] == 4
    assert found["XMP-dc:Title"] == "A <lake>"
    assert not [name for name in found if "Warning" in name]


def bomb(body: str) -> bytes:
    return f'<!DOCTYPE x [{body}]><x:xmpmeta xmlns:x="adobe:ns:meta/">&a;</x:xmpmeta>'.encode()


LAUGHS = '<!ENTITY a "lol">' + "".join(
    f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi")
)  # fmt: skip
HOSTILE = {
    "a billion laughs": (bomb(LAUGHS), "document type or entities"),
    "an external entity": (bomb('<!ENTITY a SYSTEM "file:///etc/passwd">'), "document type or entities"),
    "a document type alone": (b"<!DOCTYPE x>" + PACKET.partition(b"?>\n")[2], "document type or entities"),
    "wide bomb": (bomb(LAUGHS).decode().encode("utf-16"), "document type or entities"),
    "too deep": (b"<a>" * 5000 + b"</a>" * 5000, "at most 100 deep"),
    "too long": (b" " * ((16 << 20) + 1), "at most 16 MB"),
    "not XML": (b"\xff\xd8\xff", "not well formed"),
    "not finished": (PACKET[:400], "not well formed"),
    "no RDF": (b"<x/>", "holds no RDF"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_xmp_is_refused_with_its_reason_and_the_photo_opens(name: str, tmp_path: Path) -> None:
    packet, reason = HOSTILE[name]
    with pytest.raises(luxgrad.FileError, match=reason):
        walk(packet)
    if len(packet) < 60_000:
        Image.new("RGB", (8, 6)).save(tmp_path / "a.jpg", xmp=packet)
        photo = luxgrad.load(tmp_path / "a.jpg")
        assert reason in photo.metadata["XMPRefused"]
        luxgrad.save(photo, tmp_path / "b.jpg")
        assert glance(tmp_path / "b.jpg").xmp is None


def test_a_packet_of_a_million_empty_parts_is_read_in_linear_time() -> None:
    start = time.process_time()
    walk(PACKET.replace(b"</rdf:Description>", b"<dc:a/> " * 200_000 + b"</rdf:Description>"))
    handed_on(PACKET.replace(b"</rdf:Description>", b"<exif:GPSa/> " * 50_000 + b"</rdf:Description>"), (1, 1), location=False)
    assert time.process_time() - start < 60  # quadratic code takes hours


def test_texts_of_a_png_travel_and_a_bomb_in_one_is_cut_off(tmp_path: Path) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", "Somebody")
    info.add_itxt("Title", "Ein Bild", zip=True)
    info.add_text("workflow", "{}")
    Image.new("RGB", (8, 6)).save(tmp_path / "a.png", pnginfo=info)
    photo = luxgrad.load(tmp_path / "a.png")
    assert photo.metadata["Texts"] == {"Author": "Somebody", "Title": "Ein Bild"}
    luxgrad.save(photo, tmp_path / "b.png")
    with Image.open(tmp_path / "b.png") as image:
        assert image.text == {"Author": "Somebody", "Title": "Ein Bild"}


def test_metadata_behind_the_pixels_of_a_png_is_found(tmp_path: Path) -> None:
    luxgrad.save(Photo(torch.zeros(1, 3, 8, 8), metadata={"XMP": PACKET}), tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    start = data.index(b"iTXt") - 4
    length = 12 + struct.unpack(">I", data[start : start + 4])[0]
    moved = data[:start] + data[start + length : -12] + data[start : start + length] + data[-12:]
    (tmp_path / "late.png").write_bytes(moved)
    assert b"Rating" in glance(tmp_path / "late.png").xmp
    assert b"Rating" in luxgrad.load(tmp_path / "late.png").metadata["XMP"]


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif"])
@pytest.mark.parametrize("keep", ["keep", "without location", "none"])
def test_every_format_keeps_what_is_asked(tmp_path: Path, name: str, keep: str) -> None:
    metadata, _ = read_exif(block())
    photo = Photo(torch.zeros(1, 3, 20, 30), metadata={**metadata, "XMP": PACKET})
    luxgrad.save(photo, tmp_path / name, metadata=keep)
    found = glance(tmp_path / name)
    values, _ = read_exif(found.exif)
    assert (values.get("Model") == "Camera One") == (keep != "none")
    assert ("GPSLatitude" in values) == (keep == "keep")
    assert (b"Rating" in (found.xmp or b"")) == (keep != "none")
    assert ("Zürich".encode() in (found.xmp or b"")) == (keep == "keep")


def with_names(artist: bytes, holder: bytes) -> bytes:
    """An EXIF block that says these bytes as its artist and its copyright."""
    bodies = [(0x013B, artist + b"\0"), (0x8298, holder + b"\0")]
    start = 8 + 2 + 12 * len(bodies) + 4
    entries, data = b"", b""
    for tag, body in bodies:
        entries += struct.pack("<HHII", tag, 2, len(body), start + len(data))
        data += body + b"\0" * (len(body) % 2)
    return PREFIX + b"II*\0\x08\0\0\0" + struct.pack("<H", len(bodies)) + entries + bytes(4) + data


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.webp", "a.avif", "a.jxl"])
def test_exif_text_is_utf_8_where_it_can_be_and_goes_on_as_the_bytes_that_it_was(tmp_path: Path, name: str) -> None:
    utf8, latin = "Ashim D\u2019Silva \u82b1".encode(), b"\xa9 Zo\xeb M\xfcller"
    Image.new("RGB", (8, 8)).save(tmp_path / "camera.jpg", exif=with_names(utf8, latin))
    photo = luxgrad.load(tmp_path / "camera.jpg")
    luxgrad.save(photo, tmp_path / name, depth="8")
    for path in (tmp_path / "camera.jpg", tmp_path / name):
        said = photo_info(path)
        assert (said["artist"], said["copyright"]) == ("Ashim D\u2019Silva \u82b1", "\xa9 Zo\xeb M\xfcller")
        assert utf8 in path.read_bytes()
        assert latin in path.read_bytes()
    again = luxgrad.load(tmp_path / name)
    luxgrad.save(again, tmp_path / "again.tif", depth="8")
    assert utf8 in (tmp_path / "again.tif").read_bytes()
    assert latin in (tmp_path / "again.tif").read_bytes()
    assert expanded("{artist}", again.metadata, (8, 8)) == "Ashim D\u2019Silva \u82b1"


def test_a_block_that_must_be_written_anew_keeps_the_bytes_of_its_texts() -> None:
    block = with_names("D\u2019Silva".encode(), b"Zo\xeb M")
    anew = without_maker_note(block)
    assert "D\u2019Silva".encode() + b"\0" in anew
    assert b"Zo\xeb M\0" in anew
    assert b"?" not in anew

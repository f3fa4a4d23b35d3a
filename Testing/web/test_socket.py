"""What the web socket answers to those who speak it, well and badly."""

from __future__ import annotations

import asyncio
import io
import json
import shutil
import struct

import numpy as np
import pytest

aiohttp = pytest.importorskip("aiohttp", reason="aiohttp is not installed: pip install '.[web]'")
pytest.importorskip("slicer", reason="slicer-core is not installed: pip install '.[web]'")

from PIL import Image
from WDualMineLib.errors import InputError
from WDualMineLib.web.catalogue import Folders
from WDualMineLib.web.viewer import BAD

FRAME = {
    "type": "frame",
    "pane": "axial",
    "number": 7,
    "plane": "axial",
    "base": "fused",
    "size": [64, 48],
    "centre": [0, 0, 0],
    "field": 90,
}


def talk(running, conversation):
    """Let ``conversation(socket)`` talk to a server that took the token."""

    async def main():
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar) as session:
            await session.get(running.url)
            headers = {"Origin": running.base}
            async with session.ws_connect(f"{running.base}/socket", headers=headers) as socket:
                return await asyncio.wait_for(conversation(socket), 30)

    return asyncio.run(main())


async def opened(socket) -> dict:
    await socket.send_json({"type": "open", "study": 0})
    told = await socket.receive_json()
    assert told["type"] == "study"
    return told


async def picture(socket) -> tuple[dict, np.ndarray, str]:
    data = await socket.receive_bytes()
    (length,) = struct.unpack(">I", data[:4])
    image = Image.open(io.BytesIO(data[4 + length :]))
    return json.loads(data[4 : 4 + length]), np.asarray(image), image.format


def test_a_study_a_picture_and_values(serve) -> None:
    async def conversation(socket):
        told = await opened(socket)
        await socket.send_json(FRAME)
        about, found, kind = await picture(socket)
        await socket.send_json(FRAME | {"moving": True})
        hasty = await picture(socket)
        await socket.send_json({"type": "probe", "point": told["centre"]})
        return told, about, found, kind, hasty, await socket.receive_json()

    told, about, found, kind, hasty, values = talk(serve(), conversation)
    assert told["look"]["changes"] is False and len(told["doubts"]) == 1
    assert about == {"pane": "axial", "number": 7}
    assert found.shape == (48, 64, 3) and found.max() > 50
    assert (kind, hasty[2]) == ("PNG", "JPEG")
    assert np.abs(hasty[1].astype(int) - found).mean() < 4
    assert dict(values["rows"])["Moving (Doe_ct)"].endswith("HU")


VOLUME = FRAME | {"type": "volume", "pane": "volume", "azimuth": 30, "elevation": 10}
REGION = {
    "type": "region",
    "shape": "circle",
    "plane": "axial",
    "centre": [0, 0, 0],
    "half": [9, 9],
}


def test_a_view_from_a_side_and_values_in_a_region(serve) -> None:
    async def conversation(socket):
        await opened(socket)
        await socket.send_json(VOLUME)
        rest = await picture(socket)
        await socket.send_json(VOLUME | {"moving": True, "style": "maximum"})
        hasty = await picture(socket)
        await socket.send_json(REGION | {"number": 3})
        return rest, hasty, await socket.receive_json()

    rest, hasty, values = talk(serve(), conversation)
    assert rest[0] == {"pane": "volume", "number": 7} and rest[1].shape == (48, 64, 3)
    assert (rest[2], hasty[2]) == ("PNG", "JPEG") and hasty[1].max() > 50
    (moving,) = [mean for name, mean, _ in values["rows"] if name == "Moving (Doe_ct)"]
    assert " ± " in moving and moving.endswith(" HU") and values["number"] == 3


def test_slices_do_not_wait_for_a_view_from_a_side(serve, monkeypatch) -> None:
    import threading

    from WDualMineLib.web import rendering_thread

    shown, inner = threading.Event(), rendering_thread.seen_from

    def slow(*given):
        assert shown.wait(20), "no slice came meanwhile"
        return inner(*given)

    monkeypatch.setattr(rendering_thread, "seen_from", slow)

    async def conversation(socket):
        await opened(socket)
        await socket.send_json(VOLUME)
        await socket.send_json(FRAME)
        first = (await picture(socket))[0]["pane"]
        shown.set()
        return first, (await picture(socket))[0]["pane"]

    assert talk(serve(), conversation) == ("axial", "volume")


def test_slices_do_not_wait_for_values_and_only_the_newest_region_is_measured(
    serve, monkeypatch
) -> None:
    import threading

    from WDualMineLib.web import viewer

    shown, measured, inner = threading.Event(), [], viewer.measure

    def slow(study, region, look):
        measured.append(region.half)
        assert shown.wait(20), "no slice came meanwhile"
        return inner(study, region, look)

    monkeypatch.setattr(viewer, "measure", slow)

    async def conversation(socket):
        await opened(socket)
        for number in range(1, 21):
            await socket.send_json(REGION | {"half": [number, number], "number": number})
        await socket.send_json(FRAME)
        await picture(socket)
        shown.set()
        told = [await socket.receive_json()]
        while told[-1]["number"] != 20:
            told.append(await socket.receive_json())
        return told

    told = talk(serve(), conversation)
    assert {each["type"] for each in told} == {"region"} and len(told) <= 3
    assert measured[-1] == (20, 20)


def test_of_a_prior_study_are_pictures_and_values(serve, folder, sources) -> None:
    from WDualMineLib.web.prior import BesidePrior

    both = [Folders(folder, [sources[0].parent], anonymise=False) for _ in range(2)]

    async def conversation(socket):
        told = await opened(socket)
        found = []
        for which in ("current", "prior"):
            await socket.send_json(FRAME | {"which": which})
            found.append((await picture(socket))[1])
        await socket.send_json({"type": "probe", "point": told["centre"]})
        probed = await socket.receive_json()
        await socket.send_json(REGION)
        return told, found, probed, await socket.receive_json()

    told, (current, prior), probed, measured = talk(serve(BesidePrior(*both)), conversation)
    np.testing.assert_array_equal(current, prior)
    assert told["prior"]["warning"]
    for rows in (probed["rows"], measured["rows"]):
        names = [row[0] for row in rows]
        assert "Fused" in names and "Prior: Fused" in names
        of = {name: words for name, *words in rows}
        assert of["Fused"] == of["Prior: Fused"]


def test_without_a_prior_study_there_is_no_picture_of_it(serve) -> None:
    async def conversation(socket):
        await opened(socket)
        await socket.send_json(FRAME | {"which": "prior"})
        return await socket.receive_json()

    told = talk(serve(), conversation)
    assert told["type"] == "error" and "no prior study" in told["text"]


@pytest.mark.parametrize(
    "words",
    ["", "{", "[]", "1", '{"type": "eval"}', '{"type": ["open"]}', '{"type": "open", "study": "x"}',
     '{"type": "open", "study": true}', "[" * 5000, '{"type": "probe"}', "x" * 20000],
)  # fmt: skip
def test_who_talks_nonsense_is_let_go(serve, words: str) -> None:
    async def conversation(socket):
        await opened(socket)
        await socket.send_str(words)
        last = await socket.receive()
        return last.type, socket.close_code

    kind, code = talk(serve(), conversation)
    assert kind in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
    assert code in (BAD, 1009)  # 1009: too long


@pytest.mark.parametrize(
    "changes",
    [
        {"size": [99999, 99999]},
        {"base": "../report"},
        {"centre": "here"},
        {"field": -1},
        VOLUME | {"pane": "axial", "azimuth": 1e9},
        VOLUME | {"pane": "axial", "base": "../report"},
        REGION | {"half": [0, -1]},
    ],
)
def test_a_picture_that_cannot_be_is_an_error_and_no_end(serve, changes) -> None:
    async def conversation(socket):
        await opened(socket)
        await socket.send_json(FRAME | changes)
        told = await socket.receive_json()
        await socket.send_json(FRAME)
        return told, await picture(socket)

    told, (about, _, _) = talk(serve(), conversation)
    assert told["type"] == "error" and (told["pane"], told["number"]) == ("axial", 7)
    assert about["number"] == 7


def test_a_look_that_cannot_be_changed_says_why(serve) -> None:
    async def conversation(socket):
        await opened(socket)
        await socket.send_json(FRAME | {"strength": 2.0})
        return await socket.receive_json()

    told = talk(serve(), conversation)
    assert told["type"] == "error" and "Fuse the two volumes again" in told["text"]


def test_only_the_newest_picture_of_a_pane_is_made(serve) -> None:
    async def conversation(socket):
        await opened(socket)
        for number in range(200):
            await socket.send_json(FRAME | {"number": number, "size": [512, 512]})
        seen = []
        while not seen or seen[-1] != 199:
            seen.append((await picture(socket))[0]["number"])
        return seen

    seen = talk(serve(), conversation)
    assert len(seen) < 100 and seen == sorted(seen)


def test_a_defect_tells_the_viewer_nothing_of_the_server(serve) -> None:
    class Broken:
        fusing = None

        def rows(self):
            raise RuntimeError("/secret/path")

        def open(self, _number):
            raise RuntimeError("/secret/path")

    async def conversation(socket):
        await socket.send_json({"type": "open", "study": 0})
        return await socket.receive_json()

    async def table():
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar) as session:
            await session.get(running.url)
            answer = await session.get(f"{running.base}/studies")
            return answer.status, await answer.text(), answer.headers

    running = serve(Broken())
    told = talk(running, conversation)
    assert told["type"] == "failed" and "secret" not in told["text"]
    status, text, headers = asyncio.run(table())
    assert status == 500 and "secret" not in text and headers["X-Frame-Options"] == "DENY"


def test_anonymised_a_failure_names_no_file(folder, tmp_path, caplog) -> None:
    broken = tmp_path / "Doe"
    shutil.copytree(folder, broken)
    (broken / "fused.nrrd").unlink()
    with pytest.raises(InputError) as told:
        Folders(broken, [], anonymise=True).open(0)
    assert "Doe" not in str(told.value) and "Doe" in caplog.text

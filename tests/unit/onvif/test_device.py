"""A real device over HTTP: asked, logged in to, turned."""

import time

import pytest

from federation.errors import ZonghengError
from node.media.onvif.device import Device, service_address
from node.media.onvif.probing import answerers
from tests.plugins.onvif import StartDevice

LOGIN = ("--user", "viewer", "--password", "a secret & more")


@pytest.mark.parametrize("login", ["token", "digest", "both"])
@pytest.mark.parametrize("media", [(), ("--media2",)])
async def test_streams_are_had_from_a_device_that_asks_for_a_login(
    onvif: StartDevice, login: str, media: tuple[str, ...]
) -> None:
    camera = onvif(*LOGIN, "--login", login, *media)
    async with Device(camera.address, "viewer", "a secret & more") as device:
        main, sub = await device.profiles()
        assert (main.codec, main.width, main.height, main.steered) == ("h264", 1280, 720, True)
        assert main.address == "rtsp://127.0.0.1:554/main"
        assert sub.address == "rtsp://127.0.0.1:554/sub"
        assert (await device.model()).name == "Turns 1"


@pytest.mark.parametrize("ahead", [-400_000_000.0, 7_200.0])
async def test_a_device_whose_clock_is_wrong_is_logged_in_to_by_its_own_clock(
    onvif: StartDevice, ahead: float
) -> None:
    camera = onvif(*LOGIN, "--ahead", str(ahead))
    async with Device(camera.address, "viewer", "a secret & more") as device:
        assert len(await device.profiles()) == 2


async def test_a_device_that_keeps_even_its_time_from_strangers_is_logged_in_to_by_ours(
    onvif: StartDevice,
) -> None:
    camera = onvif(*LOGIN, "--keeps-time")
    async with Device(camera.address, "viewer", "a secret & more") as device:
        assert len(await device.profiles()) == 2


@pytest.mark.parametrize(("user", "password"), [("", ""), ("viewer", "wrong"), ("other", "a secret & more")])
@pytest.mark.parametrize("login", ["token", "digest"])
async def test_a_wrong_login_is_told_as_one(onvif: StartDevice, user: str, password: str, login: str) -> None:
    camera = onvif(*LOGIN, "--login", login)
    async with Device(camera.address, user, password) as device:
        with pytest.raises(ZonghengError) as told:
            await device.profiles()
    assert told.value.code == "camera_refused"


async def test_a_device_moves_for_so_long_and_stops_when_told(onvif: StartDevice) -> None:
    camera = onvif()
    async with Device(camera.address) as device:
        await device.moves("main", 0.5, -0.25, 0, 1.0)
        camera.until("it moved for a second and stands still", lambda state: not state["moving"])
        at = camera.state()
        assert (round(at["pan"], 1), round(at["tilt"], 2)) == (0.5, -0.25)
        await device.moves("main", 0, 0, 1, 10.0)
        assert camera.state()["moving"]
        await device.stops("main")
        stopped = camera.state()
        assert not stopped["moving"]
        assert stopped["zoom"] > 0
        assert stopped["pan"] == at["pan"]


async def test_a_device_goes_to_the_positions_that_it_keeps(onvif: StartDevice) -> None:
    camera = onvif()
    async with Device(camera.address) as device:
        names = {each.name: each.token for each in await device.presets("main")}
        assert set(names) == {"大门", "窗口三"}
        await device.goes_to("main", names["窗口三"])
        assert camera.state()["preset"] == "窗口三"
        with pytest.raises(ZonghengError) as told:
            await device.goes_to("main", "9")
    assert (told.value.code, "no such preset" in told.value.detail) == ("camera_fault", True)


async def test_a_fixed_device_says_that_it_is_one(onvif: StartDevice) -> None:
    camera = onvif("--fixed")
    async with Device(camera.address) as device:
        assert not any(each.steered for each in await device.profiles())
        with pytest.raises(ZonghengError) as told:
            await device.stops("main")
    assert told.value.code == "camera_fault"


async def test_nothing_that_answers_is_a_camera_that_is_lost() -> None:
    async with Device("http://127.0.0.1:9/onvif/device_service") as device:
        with pytest.raises(ZonghengError) as told:
            await device.profiles()
    assert told.value.code == "camera_lost"


async def test_a_device_on_the_network_answers_a_probe_with_an_address_of_its_own(onvif: StartDevice) -> None:
    camera = onvif()
    heard = []
    end = time.monotonic() + 60
    while not heard and time.monotonic() < end:
        heard = await answerers(1.0, ("127.0.0.1", camera.port), ("127.0.0.1",))
    (device,) = heard
    assert (device.host, device.address) == ("127.0.0.1", camera.address)
    assert (device.name, device.model) == ("大厅", "Turns 1")


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("192.0.2.7", "http://192.0.2.7/onvif/device_service"),
        ("192.0.2.7:8000", "http://192.0.2.7:8000/onvif/device_service"),
        ("https://cam.example/x", "https://cam.example/x"),
        ("[2001:db8::7]:80", "http://[2001:db8::7]:80/onvif/device_service"),
    ],
)
def test_a_device_is_named_by_host_or_address(given: str, address: str) -> None:
    assert service_address(given) == address


@pytest.mark.parametrize(
    "given", ["file:///etc/passwd", "http://", "http://user:word@192.0.2.7/", "192.0.2.7:99999", "a b", ""]
)
def test_what_names_no_device_is_refused(given: str) -> None:
    with pytest.raises(ZonghengError) as told:
        service_address(given)
    assert told.value.code == "bad_request"

"""The app as somebody uses it: a real Chromium, a real server, the pages one after the other."""

import contextlib
import io
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile

import numpy as np
import pytest
from PIL import Image

from browser import ARGUMENTS, executable
from fieldguide.data.dataset import open_dataset
from fieldguide.workspace.folder import Workspace
from fieldguide.workspace.photo_store import PhotoStore
from fieldguide.workspace.tag_store import TagStore, tags_of
from tags_made import write_tagged
from tiny_model import tiny_tag_model, write_tiny_model

PATIENCE = 180_000
"""Milliseconds that a busy machine may take; a person waits a hundredth of it."""
JOB = 4 * PATIENCE
"""For a process that loads the training libraries, and the first time exports a network."""
CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
PAYLOADS = (
    "<img src=x onerror=alert(1)>",
    "<script>alert(2)</script>",
    "![a](x)[b](javascript:alert(3)) :red[c] $d$ **e**",
    "\"'><svg onload=alert(4)>\u202egpj",
)
"""Names of classes and files that would run, ask or hide, if a page let them."""


class Server:
    """`fieldguide app` in a process of its own."""

    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder = folder
        self.start()

    @property
    def address(self):
        return f"http://localhost:{self.port}"

    def start(self):
        command = [sys.executable, "-m", "fieldguide", "app", str(self.folder), "--port", str(self.port)]
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        until = time.monotonic() + PATIENCE / 1000
        while True:
            try:
                urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=5).close()
                return
            except OSError:
                assert time.monotonic() < until and self.process.poll() is None, "the app did not start"
                time.sleep(0.2)

    def stop(self):
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(PATIENCE / 1000)


@pytest.fixture(scope="module")
def app(tmp_path_factory, cache_of_the_tests):
    folder = tmp_path_factory.mktemp("models")
    write_tiny_model(folder / "colours.onnx")
    server = Server(folder)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def engine():
    playwright, found = executable()
    with playwright.sync_playwright() as running:
        try:
            browser = running.chromium.launch(executable_path=found, args=[*ARGUMENTS, *CAMERA])
        except playwright.Error as error:
            pytest.skip(f"no Chromium: {error.message.splitlines()[0]}; apt install chromium")
        yield browser
        browser.close()


@contextlib.contextmanager
def tab(engine, app, width=1400):
    """A page of the app; at its end nothing may have been complained of, and nothing asked of elsewhere."""
    complaints = []
    page = engine.new_context(viewport={"width": width, "height": 1000}).new_page()
    page.set_default_timeout(PATIENCE)
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: (complaints.append(f"dialog {dialog.message}"), dialog.dismiss()))
    page.on("request", lambda request: _note(complaints, request.url, app))
    page.goto(app.address)
    page.get_by_role("heading", name="What is in the photo?").wait_for()
    yield page
    page.context.close()
    assert complaints == []


def _note(complaints, url, app):
    if not url.startswith((app.address, f"ws://localhost:{app.port}", "data:", "blob:")):
        complaints.append(f"asked {url}")


@pytest.fixture
def page(engine, app):
    with tab(engine, app) as opened:
        yield opened


def picture(colour, form="JPEG", size=(60, 80)):
    random = np.random.default_rng(sum(colour))
    pixels = np.clip(np.array(colour) + random.integers(-20, 20, (*size, 3)), 0, 255).astype(np.uint8)
    memory = io.BytesIO()
    Image.fromarray(pixels).save(memory, form)
    return memory.getvalue()


def file(name, content):
    return {"name": name, "mimeType": "image/jpeg", "buffer": content}


def upload(page, *files):
    page.locator("input[type=file]").first.set_input_files(list(files))


def go(page, name, heading):
    settle(page)
    page.get_by_test_id("stSidebar").get_by_role("link", name=name, exact=True).click()
    page.get_by_role("heading", name=heading).wait_for()
    # Until the page has run to its end, parts of the one before may still stand there, deaf.
    page.locator('[data-test-script-state="notRunning"]').first.wait_for()


def choose_model(page, model):
    """Choose a model in the sidebar; the field that shows it."""
    shown = page.get_by_test_id("stSidebar").get_by_role("combobox")
    shown.click()
    page.get_by_role("option", name=model, exact=True).click()
    shown.and_(page.locator(f"[value='{model}']")).wait_for()
    settle(page)
    return shown


def open_tab(page, name):
    """Open a tab of the page; while the page is still being drawn, a press may be lost."""
    settle(page)
    page.get_by_role("tab", name=name).click()
    page.get_by_role("tab", name=name, selected=True).wait_for()
    settle(page)


def settle(page):
    page.locator('[data-test-script-state="notRunning"]').first.wait_for()


def verdict(page):
    page.locator(".fg-verdict").wait_for()
    return page.locator(".fg-verdict").inner_text()


RED, GREEN, BLUE = (220, 30, 30), (30, 200, 30), (30, 30, 220)


def test_a_photo_gets_its_answer(page):
    upload(page, file("a.jpg", picture(RED)))
    assert verdict(page).startswith("red")
    page.get_by_text("Where it looks").click()
    page.get_by_text("Where it looks for").wait_for()
    page.get_by_role("img", name="What speaks for red").wait_for()


def test_a_correction_is_found_again_after_a_restart(engine, app):
    photo = file("mine.jpg", picture((200, 40, 40)))
    with tab(engine, app) as page:
        upload(page, photo)
        page.get_by_role("button", name="blue").click()
        page.get_by_text("Recorded as blue").wait_for()
    app.stop()
    app.start()
    with tab(engine, app) as page:
        upload(page, photo)
        page.get_by_text("Recorded as blue").wait_for()
        page.get_by_role("button", name="Undo").click()
        page.get_by_placeholder("Another class, or a new name").or_(
            page.get_by_label("Another class")
        ).first.fill("mauve")
        page.keyboard.press("Enter")
        page.get_by_text("Recorded as mauve").wait_for()
    assert PhotoStore(Workspace(app.folder).corrections).counts() == {"mauve": 1}


def test_large_broken_and_many_photos(page):
    random = np.random.default_rng(0)
    memory = io.BytesIO()
    Image.fromarray(
        random.integers(0, 120, (2700, 2600, 3), dtype=np.uint8) + np.array([120, 0, 0], dtype=np.uint8)
    ).save(memory, "PNG", compress_level=0)
    assert len(memory.getvalue()) > 20_000_000
    upload(page, file("large.png", memory.getvalue()))
    assert verdict(page).startswith("red")
    upload(page, file("broken.jpg", picture(RED)[:300]))
    page.get_by_text("2 photos, 1 could not be read").wait_for()
    upload(page, *(file(f"{number}.jpg", picture((30, number, 220))) for number in range(198)))
    page.get_by_text("200 photos, 1 could not be read").wait_for()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download CSV").click()
    assert len(saved.value.path().read_text().splitlines()) == 201


PASTE = """(bytes) => {
    const held = new DataTransfer();
    held.items.add(new File([new Uint8Array(bytes)], "pasted.jpg", { type: "image/jpeg" }));
    const event = new ClipboardEvent("paste", { clipboardData: held, bubbles: true, cancelable: true });
    document.body.dispatchEvent(event);
    return event.defaultPrevented;
}"""


def test_a_picture_is_pasted(page):
    until = time.monotonic() + PATIENCE / 1000
    while not page.evaluate(PASTE, list(picture(GREEN))):  # the listener comes a moment after the page
        assert time.monotonic() < until
        time.sleep(0.2)
    assert verdict(page).startswith("green")


def test_the_camera_takes_a_photo(page):
    page.get_by_text("Camera", exact=True).click()
    page.wait_for_function("() => document.querySelector('video')?.videoWidth > 0")  # a click before is lost
    page.get_by_role("button", name="Take Photo").click()
    assert verdict(page)


def test_the_keyboard_alone_suffices(page):
    with page.expect_file_chooser() as chooser:
        tab_to(page, "Upload")
        page.keyboard.press("Enter")
    chooser.value.set_files([file("key.jpg", picture((210, 35, 35)))])
    assert verdict(page).startswith("red")
    tab_to(page, "green")
    page.keyboard.press("Enter")
    page.get_by_text("Recorded as green").wait_for()
    tab_to(page, "Models")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Models").wait_for()


def tab_to(page, name):
    """Press the tabulator until something of this name has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        focused = page.evaluate("document.activeElement.innerText || document.activeElement.ariaLabel || ''")
        if focused.strip().split("\n")[-1] == name or focused.strip() == name:
            return
    raise AssertionError(f"the tabulator never came to {name}")


PAGES = (
    ("Data", "Photos to learn from"),
    ("Train", "Train a model"),
    ("Results", "How good is it really?"),
    ("Models", "Models"),
    ("Teach by camera", "Teach by camera"),
)


def test_nothing_is_wider_than_a_phone(engine, app):
    with tab(engine, app, width=400) as page:
        upload(page, file("a.jpg", picture(RED)))
        verdict(page)
        assert widest(page) <= 400
        for name, heading in PAGES:
            page.get_by_test_id("stExpandSidebarButton").click()
            go(page, name, heading)
            page.get_by_test_id("stSidebarCollapseButton").get_by_role("button").click()
            assert widest(page) <= 400, name


def widest(page):
    return page.evaluate(
        """() => Math.max(document.scrollingElement.scrollWidth,
                          document.querySelector('[data-testid=stMain]').scrollWidth)"""
    )


def test_hostile_names_are_shown_as_text(engine, tmp_path, app, paint):
    write_tiny_model(app.folder / "hostile.onnx", classes=list(PAYLOADS[:3]))
    data = tmp_path / "data"
    for number, name in enumerate(PAYLOADS):
        folder = data / name.replace("/", "\u2215")
        for copy in range(2):
            paint(folder / f"{copy}{name[:40].replace('/', '')}.png", (200, 40 * number, 40), copy)
    with tab(engine, app) as page:
        choose_model(page, "hostile.onnx")
        upload(page, file(PAYLOADS[0] + ".jpg", picture(RED)))
        assert verdict(page).startswith(PAYLOADS[0])
        page.get_by_text("Recorded as").or_(page.get_by_text("Wrong?")).first.wait_for()
        go(page, "Models", "Models")
        page.get_by_text("What it says about itself").first.click()
        go(page, "Data", "Photos to learn from")
        choose(page, data)
        open_tab(page, "Contact sheets")
        page.locator(".fg-sheet img").first.wait_for()
        open_tab(page, "Photos a class")
        page.get_by_text("<script>alert(2)").first.wait_for()
    (app.folder / "hostile.onnx").unlink()


def choose(page, path):
    box = page.get_by_label("Folder, table or archive on this machine")
    if not box.is_visible():
        page.get_by_text("Choose other photos").click()
    box.fill(str(path))
    page.get_by_test_id("stForm").get_by_role("button", name="Open").click()
    page.get_by_role("tab", name="Contact sheets").wait_for()


def test_from_a_zip_to_a_model_that_classifies(engine, app, tmp_path, paint_classes):
    folder = paint_classes(tmp_path / "set", {"red": 12, "blue": 12})
    (folder / "red" / "broken.png").write_bytes(b"\x89PNG broken")
    archive = tmp_path / "colours of mine.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for path in sorted(folder.rglob("*.png")):
            packed.write(path, path.relative_to(folder))
    with tab(engine, app) as page:
        go(page, "Data", "Photos to learn from")
        if page.get_by_text("Choose other photos").is_visible():
            page.get_by_text("Choose other photos").click()
        upload(page, str(archive))
        page.get_by_text("Uploaded: colours-of-mine").first.wait_for()
        page.get_by_role("button", name="Look for faults").click()
        page.get_by_text("Files that cannot be used").wait_for(timeout=JOB)
        go(page, "Train", "Train a model")
        page.get_by_role("radio", name="Fast").or_(page.get_by_text("Fast", exact=True)).first.click()
        page.get_by_text("Fast: a first look").wait_for()
        page.get_by_role("button", name="Start training").click()
        page.get_by_role("button", name="Stop").wait_for()
        page.reload()
        page.get_by_role("button", name="Use it").wait_for(timeout=JOB)
        shown = choose_model(page, "colours.onnx")
        page.get_by_role("button", name="Use it").click()
        shown.and_(page.locator("[value='colours-of-mine.onnx']")).wait_for()
        go(page, "Results", "How good is it really?")
        page.get_by_text("photos to measure on").wait_for()
        page.get_by_role("button", name="Measure").click()
        open_tab(page, "Thresholds")
        page.get_by_text("Wrong answers left").wait_for()
        go(page, "Classify", "What is in the photo?")
        upload(page, file("new.jpg", (folder / "blue" / "003.png").read_bytes()))
        assert verdict(page).startswith("blue")
    assert (app.folder / "colours-of-mine.onnx").is_file()


def test_tags_are_chips_and_are_put_right_by_ticking(engine, app, tmp_path):
    (app.folder / "tags.onnx").write_bytes(tiny_tag_model())
    for width in (1400, 400):
        with tab(engine, app, width=width) as page:
            if width == 400:
                page.get_by_test_id("stExpandSidebarButton").click()
            choose_model(page, "tags.onnx")
            if width == 400:
                page.get_by_test_id("stSidebarCollapseButton").get_by_role("button").click()
            upload(page, file("a.jpg", picture((230, 20, 200 + width % 7))))
            page.locator(".fg-tags .given").nth(1).wait_for()
            assert page.locator(".fg-tags .given").count() == 2
            page.get_by_role("button", name="green", exact=True).click()
            page.get_by_role("button", name="Record these tags").click()
            page.get_by_text("Recorded with blue, green, red").wait_for()
            assert widest(page) <= width
    store = TagStore(Workspace(app.folder).tag_corrections)
    assert [tags_of(photo) for photo in store.photos()] == [["blue", "green", "red"]] * 2
    (app.folder / "tags.onnx").unlink()


def test_photos_with_tags_are_measured_tag_by_tag(engine, app, tmp_path):
    (app.folder / "tags.onnx").write_bytes(tiny_tag_model())
    table = write_tagged(tmp_path / "set", 24)
    with tab(engine, app) as page:
        go(page, "Data", "Photos to learn from")
        choose(page, table)
        page.get_by_text("Without any tag").wait_for()
        open_tab(page, "Contact sheets")
        page.locator(".fg-sheet img").nth(11).wait_for()
        go(page, "Results", "How good is it really?")
        page.get_by_role("button", name="Measure").click()
        open_tab(page, "Missed and wrong tags")
        page.get_by_text("the surest mistakes first").wait_for()
        page.locator(".fg-sheet img").first.wait_for()
    (app.folder / "tags.onnx").unlink()


def test_a_cell_of_the_matrix_opens_its_photos(engine, app, tmp_path, paint_classes):
    folder = paint_classes(tmp_path / "set", {"blue": 4, "green": 3, "red": 2})
    with tab(engine, app) as page:
        choose_model(page, "colours.onnx")
        go(page, "Data", "Photos to learn from")
        choose(page, folder)
        go(page, "Results", "How good is it really?")
        page.get_by_role("button", name="Measure").click()
        page.get_by_text("Nothing was mixed up").wait_for()
        chart = page.get_by_test_id("stVegaLiteChart").locator("canvas.marks, svg.marks").first
        chart.wait_for()
        settle(page)
        chart.click(position={"x": 150, "y": 30})
        page.get_by_text("red, recognised as such: 2 photos").wait_for()  # the model's first class
        page.locator(".fg-sheet img").nth(1).wait_for()


def test_a_model_is_deleted_after_a_question_and_kept_if_wanted(engine, app):
    spare = app.folder / "spare.onnx"
    write_tiny_model(spare)
    with tab(engine, app) as page:
        go(page, "Models", "Models")
        delete = page.locator(".st-key-delete-spare-onnx button")
        delete.click()
        page.get_by_role("dialog").get_by_text("cannot be undone").wait_for()
        page.get_by_role("button", name="Keep it").click()
        page.get_by_role("dialog").wait_for(state="detached")
        assert spare.exists()
        delete.click()
        page.get_by_role("button", name="Delete it").click()
        page.get_by_role("heading", name="spare.onnx").wait_for(state="detached")
        assert not spare.exists()
        # while Streamlit draws the page anew, its former elements may still stand beside the new ones
        page.get_by_role("heading", name="colours.onnx").first.wait_for()


def test_frames_are_recorded_under_a_name_and_answered_live(engine, app):
    with tab(engine, app) as page:
        choose_model(page, "colours.onnx")
        go(page, "Teach by camera", "Teach by camera")
        page.get_by_label("What do you hold up?").fill("<b>mug</b>")
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Start the camera").first.click()
        page.get_by_role("button", name="Record 12 frames").click()
        page.get_by_text("12 frames of <b>mug</b> recorded").wait_for()
        page.get_by_role("button", name="Stop the camera").first.click()
        page.get_by_role("button", name="Start the camera").last.click()
        page.locator(".answer").last.wait_for()
        assert page.locator(".answer").last.inner_text()
        page.get_by_role("button", name="Stop the camera").click()
    with open_dataset(
        Workspace(app.folder).collected / "my-things" / "labels.jsonl", minimum_classes=1
    ) as data:
        assert set(data.labels) == {"<b>mug</b>"}
        assert 1 <= len(data) <= 12


@pytest.mark.parametrize("host", ["evil.test", "localhost.evil.test"])
def test_another_name_for_this_machine_is_no_way_in(app, host):
    """DNS rebinding: a strange page that has its own name point here."""
    with socket.create_connection(("127.0.0.1", app.port), timeout=30) as line:
        line.sendall(
            f"GET /_stcore/stream HTTP/1.1\r\nHost: {host}:{app.port}\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        assert b" 403 " in line.recv(1000)


def test_the_app_listens_on_this_machine_alone(app):
    own = socket.gethostbyname(socket.gethostname())
    if own.startswith("127."):
        own = "127.0.0.2"  # another address of this machine, on which nobody listens either
    with pytest.raises(OSError, match=r"refused|timed out"):
        socket.create_connection((own, app.port), timeout=5).close()

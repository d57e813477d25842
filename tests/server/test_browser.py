"""What a web page can make a browser do to a server on the same machine: in Chromium, from another port."""

import functools
import http.server
import shutil
import threading

import pytest

from fieldguide.server import access
from server_made import running

CHROMIUM = shutil.which("chromium")

PAGE = """<!doctype html><title>evil</title><script>
async function attack(url) {
  const form = new FormData();
  form.append("images", new Blob(["x"]), "a.jpg");
  const address = url + "/v1/models/colours:predict";
  const found = [];
  for (const settings of [
    {method: "POST", mode: "no-cors", body: form},
    {method: "POST", mode: "no-cors", body: "{}", headers: {"Content-Type": "text/plain"}},
    {method: "POST", mode: "cors", body: form},
    {method: "POST", mode: "cors", body: "{}", headers: {"Content-Type": "application/json"}},
  ]) {
    try { const answer = await fetch(address, settings); found.push(answer.type + answer.status); }
    catch (error) { found.push("blocked"); }
  }
  return found;
}
</script>"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def page(tmp_path):
    """The address of a page of another origin."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text(PAGE)
    handler = functools.partial(Quiet, directory=str(tmp_path / "site"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as site:
        thread = threading.Thread(target=site.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{site.server_port}/index.html"
        site.shutdown()
        thread.join()


def attacked(server, page):
    """What the page saw, and the codes that the server counted."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        tab = browser.new_page()
        tab.goto(page)
        found = tab.evaluate("url => attack(url)", server.url)
        browser.close()
    metrics = server.context.metrics.requests
    codes = {sample.labels["code"] for family in metrics.collect() for sample in family.samples}
    return found, codes


@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here")
def test_a_page_of_another_origin_gets_nothing_done(colours, page):
    with running(colours) as server:
        found, codes = attacked(server, page)
    assert found == ["blocked"] * 4
    assert codes == {"origin_not_allowed"}


@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here")
def test_without_the_check_the_page_has_its_request_answered(colours, page, monkeypatch):
    monkeypatch.setattr(access, "_origin_allowed", lambda *_: True)
    with running(colours) as server:
        _, codes = attacked(server, page)
    assert "" in codes, "the form was answered with 200"

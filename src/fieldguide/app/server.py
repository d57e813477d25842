"""What ``streamlit run`` starts: the pages, behind headers that keep strangers out and send nothing away."""

import base64
import hashlib
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from pathlib import Path
from typing import Any

import streamlit
from starlette.middleware import Middleware
from streamlit.starlette import App

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]


def inline_scripts(page: str) -> Iterator[str]:
    """What a policy calls the scripts that stand in a page itself: the hash of each."""
    for script in re.findall(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", page, re.DOTALL):
        yield f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


# Streamlit would first look for itself below the address of a page, and each miss is an error in the console.
_SAY_WHERE = "window.__streamlit = { BACKEND_BASE_URL: window.location.origin };"
_HEAD, _INSERTED = b"<head>", f"<script>{_SAY_WHERE}</script>".encode()
_FRAME = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
_SCRIPTS = " ".join(inline_scripts(f"<script>{_SAY_WHERE}</script>{_FRAME}"))

POLICY = "; ".join(
    (
        "default-src 'self'",
        # Streamlit's charts compile their formulas, and its components arrive as blobs.
        f"script-src 'self' 'unsafe-eval' blob: {_SCRIPTS}",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "font-src 'self' data:",
        "connect-src 'self' data: blob: ws://localhost:* ws://127.0.0.1:*",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""What a page may load, and from where: nothing from any other place, no script out of a name or a file."""
HEADERS = {
    b"content-security-policy": POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"x-frame-options": b"DENY",
}


_HOST = re.compile(rb"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?", re.IGNORECASE)


def host_allowed(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a request is for this machine by the name it uses.

    A page of a stranger can have its own name point at 127.0.0.1 (DNS rebinding); the Host header stays the
    stranger's.
    """
    hosts = [value for name, value in headers if name.lower() == b"host"]
    return len(hosts) == 1 and _HOST.fullmatch(hosts[0]) is not None


async def _refuse(scope: Message, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    words = b"This app answers at localhost and 127.0.0.1 only."
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(words)).encode())]
    headers += HEADERS.items()
    await send({"type": "http.response.start", "status": 421, "headers": headers})
    await send({"type": "http.response.body", "body": words})


class SafeFrame:
    """ASGI middleware: :data:`HEADERS` on every answer, and the frame page told where its server is."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Send) -> None:
        """Pass a request on and dress its answer; one for another host is refused, whatever it asks for."""
        if scope["type"] in ("http", "websocket") and not host_allowed(scope["headers"]):
            await _refuse(scope, send)
            return
        page = False

        async def dressed(message: Message) -> None:
            nonlocal page
            if message["type"] == "http.response.start":
                headers = {name.lower(): value for name, value in message["headers"]}
                page = message["status"] == 200 and headers.get(b"content-type", b"").startswith(b"text/html")
                if page:
                    length = int(headers[b"content-length"]) + len(_INSERTED)
                    headers[b"content-length"] = str(length).encode()
                message["headers"] = list((headers | HEADERS).items())
            elif page and _HEAD in message.get("body", b""):
                message["body"] = message["body"].replace(_HEAD, _HEAD + _INSERTED, 1)
            await send(message)

        if scope["type"] == "http" and b"text/html" in dict(scope["headers"]).get(b"accept", b""):
            # Words can be put into a page only while it is not compressed.
            kept = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
            scope = {**scope, "headers": kept}
        await self.app(scope, receive, dressed)


app: App = App(Path(__file__).with_name("main.py"), middleware=[Middleware(SafeFrame)])

"""The server under load: throughput against its parts and LitServe, latency, overload, slow clients, reloads.

One line of JSON a measurement. The server runs in a process of its own, the load comes from this one, through
a client that costs little (a general HTTP client would take more of the cores than the server). All share the
machine's cores. Photos: JPEGs of 400 x 533 pixels from DATA.

LitServe needs an environment of its own:
  python -m venv litserve && litserve/bin/pip install litserve onnxruntime 'pillow>=13' numpy python-multipart
  python benchmarks/serving.py MODEL DATA --litserve litserve/bin/python
"""

import argparse
import asyncio
import contextlib
import io
import itertools
import json
import random
import shutil
import signal
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from PIL import Image
from serving_load import Found, Running, client, fieldguide, form_of, load, open_load, request_of
from serving_rivals import CORES, allowed, litserve

CLIENTS = 32
SIDES = (400, 533)
NAMES = ("throughput", "latency", "overload", "slow", "reloads", "stop", "mixed", "bombs")


def main() -> None:
    """Run the measurements named, or all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("data", type=Path, help="a folder with photos")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--litserve", type=Path, metavar="PYTHON", help="a Python that has LitServe")
    parser.add_argument(
        "--seconds", type=float, default=30.0, help="of each load (overload: four times as long)"
    )
    parser.add_argument("--runs", type=int, default=3, help="of the throughput, in turns")
    parser.add_argument("--reloads", type=int, default=100)
    parser.add_argument("--requests", type=int, default=50_000, help="of the mixed load")
    parser.add_argument("--slow", type=int, default=200, help="slow and silent connections")
    options = parser.parse_args()
    photos = photos_of(options.data)
    for name in options.only:
        for line in MEASUREMENTS[name](options, photos):
            print(json.dumps({"measured": name, **line}), flush=True)


def photos_of(folder: Path, count: int = 200) -> list[bytes]:
    """JPEGs of 400 x 533 pixels, cut to that size where they have another."""
    paths = sorted(folder.rglob("*.jpg"))[:count]
    return [jpeg(path) for path in paths]


def jpeg(path: Path) -> bytes:
    """The file as it is, or shrunk to the size."""
    with Image.open(path) as image:
        if image.size in (SIDES, SIDES[::-1]):
            return path.read_bytes()
        file = io.BytesIO()
        image.convert("RGB").resize(SIDES).save(file, "JPEG", quality=90)
        return file.getvalue()


def throughput(options: argparse.Namespace, photos: list[bytes]) -> Iterator[dict]:
    """Photos a second at 32 clients, in turns with decoding plus ONNX Runtime and with LitServe."""
    for run in range(options.runs):
        most = allowed(options.model, photos, options.seconds)
        with fieldguide(options.model) as server:
            found = warm_load(server, photos, options.seconds)
        ours = found.rate()
        line = {"run": run, "allowed_per_second": round(most, 1), "fieldguide_per_second": round(ours, 1)}
        line |= {"to_allowed": round(ours / most, 3), "p50_ms": found.percentile(50)}
        line |= {"p99_ms": found.percentile(99), **outcome(found)}
        if options.litserve:
            line |= against_litserve(options, photos, ours)
        yield line


def against_litserve(options: argparse.Namespace, photos: list[bytes], ours: float) -> dict:
    """The same load on LitServe as it comes and with a worker a core; the ratio is to the better."""
    line, rates = {}, []
    for workers in sorted({1, CORES}):
        with litserve(options.litserve, options.model, workers) as server:
            found = warm_load(server, photos, options.seconds)
            if not found.statuses[200]:
                raise SystemExit(f"LitServe answered none: {server.log.read_text()[-2000:]}")
        rates.append(found.rate())
        line[f"litserve_{workers}_per_second"] = round(rates[-1], 1)
        line[f"litserve_{workers}_p99_ms"] = found.percentile(99)
    return line | {"to_litserve": round(ours / max(rates), 3)}


def warm_load(server: Running, photos: list[bytes], seconds: float) -> Found:
    """A load of 32 clients on a server that has seen one before."""
    load(server, photos, CLIENTS, min(3.0, seconds))
    return load(server, photos, CLIENTS, seconds)


def latency(options: argparse.Namespace, photos: list[bytes]) -> Iterator[dict]:
    """p99 at half of the throughput, arrivals at random, against a single client's median."""
    with fieldguide(options.model) as server:
        load(server, photos, 1, 2.0)
        single = load(server, photos, 1, options.seconds / 2)
        full = load(server, photos, CLIENTS, options.seconds / 2)
        rate = full.rate() / 2
        half = open_load(server, photos, rate, options.seconds)
    line = {"single_p50_ms": single.percentile(50), "rate_per_second": round(rate, 1), **outcome(half)}
    line |= {"half_load_p50_ms": half.percentile(50), "half_load_p99_ms": half.percentile(99)}
    yield line | {"ratio": round(half.percentile(99) / single.percentile(50), 2)}


def overload(options: argparse.Namespace, photos: list[bytes]) -> Iterator[dict]:
    """Ten times what it can do, at a fixed rate; then whether it has recovered within 5 s."""
    with fieldguide(options.model) as server:
        capacity = load(server, photos, CLIENTS, options.seconds)
        rate = 10 * capacity.rate()
        over = open_load(server, photos, rate, 4 * options.seconds)
        time.sleep(5)
        after = load(server, photos, 8, 5.0)
    line = {"asked_per_second": round(over.asked / over.spent, 1), **outcome(over)}
    line |= {"capacity_per_second": round(capacity.rate(), 1), "accepted_per_second": round(over.rate(), 1)}
    line |= {"capacity_p99_ms": capacity.percentile(99), "accepted_p99_ms": over.percentile(99)}
    line |= {"ratio": round(over.percentile(99) / capacity.percentile(99), 2)}
    yield line | {"after": outcome(after), "after_p99_ms": after.percentile(99)}


def slow(options: argparse.Namespace, photos: list[bytes]) -> Iterator[dict]:
    """Slow and silent connections beside honest clients: when each is closed, what the honest get."""
    head = b"POST /v1/models/model:predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    kinds = [
        b"",
        b"GET /v1",
        head,
        head + b"Content-Length: 99\r\n\r\n{",
        head + b"Transfer-Encoding: chunked\r\n\r\n5",
    ]
    closed: list[float] = []

    async def drip(kind: bytes, port: int) -> None:
        begun = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(kind)
        with contextlib.suppress(OSError):
            while time.monotonic() - begun < 30:
                with contextlib.suppress(TimeoutError):
                    if not await asyncio.wait_for(reader.read(4096), 1.0):
                        break
                if kind:
                    writer.write(b"a")
                    await writer.drain()
        closed.append(time.monotonic() - begun)
        writer.close()

    async def all_slow(port: int) -> None:
        await asyncio.gather(*[drip(kinds[number % len(kinds)], port) for number in range(options.slow)])

    with fieldguide(options.model) as server:
        dripping = threading.Thread(target=lambda: asyncio.run(all_slow(server.port)))
        dripping.start()
        honest = load(server, photos, 8, 12.0)
        dripping.join()
    line = {"connections": options.slow, "closed": len(closed), "slowest_close_s": round(max(closed), 2)}
    yield line | {"honest": outcome(honest), "honest_p99_ms": honest.percentile(99)}


def reloads(options: argparse.Namespace, photos: list[bytes]) -> Iterator[dict]:
    """Replaced files under 16 clients, a fifth of them corrupt."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "model.onnx"
        shutil.copyfile(options.model, place)
        content = options.model.read_bytes()
        found = Found()
        with fieldguide(place) as server:
            over = threading.Event()
            requests = itertools.cycle([request_of(server.address, form_of(photo)) for photo in photos])

            async def clients() -> None:
                await asyncio.gather(
                    *[client(server.port, requests, found, over.is_set, 0.0) for _ in range(16)]
                )

            asking = threading.Thread(target=lambda: asyncio.run(clients()))
            asking.start()
            outcomes = [replaced(server, place, content, number) for number in range(options.reloads)]
            over.set()
            asking.join()
    yield {"reloads": dict(Counter(outcomes)), **outcome(found)}


def replaced(server: Running, place: Path, content: bytes, number: int) -> str:
    """Replace the model's file; what the server made of it."""
    before = events(server)
    fresh = place.with_suffix(".new")
    fresh.write_bytes(content[: -number - 1] if number % 5 == 4 else content)
    fresh.replace(place)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        now = events(server)
        for name in ("reloaded", "reload_refused"):
            if now[name] > before[name]:
                return name
        time.sleep(0.1)
    return "nothing"


def events(server: Running) -> Counter:
    """How often each event of reloading is in the log."""
    text = server.log.read_text()
    return Counter({name: text.count(f'"event": "{name}"') for name in ("reloaded", "reload_refused")})


def stop(options: argparse.Namespace, photos: list[bytes]) -> Iterator[dict]:
    """SIGTERM under load: how long it takes, and requests without an answer."""
    found = Found()
    with fieldguide(options.model) as server:
        requests = itertools.cycle([request_of(server.address, form_of(photo)) for photo in photos])

        async def clients() -> None:
            never = lambda: False  # noqa: E731
            await asyncio.gather(*[client(server.port, requests, found, never, 0.0) for _ in range(CLIENTS)])

        asking = threading.Thread(target=lambda: asyncio.run(clients()))
        asking.start()
        time.sleep(min(5.0, options.seconds))
        begun = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        code = server.process.wait(30)
        spent = time.monotonic() - begun
        asking.join()
    yield {"seconds": round(spent, 2), "code": code, **outcome(found)}


def mixed(options: argparse.Namespace, photos: list[bytes]) -> Iterator[dict]:
    """Many requests, a twentieth hostile: statuses, and memory, descriptors and threads as they went."""
    random.seed(0)
    found, marks = Found(), []
    with fieldguide(options.model) as server:
        requests = [request_of(server.address, form_of(photo)) for photo in photos]
        hostile = hostile_requests(server.address, photos[0])
        ten = max(1, options.requests // 10)

        def stream() -> Iterator[bytes]:
            for number in range(options.requests):
                if number % ten == 0:
                    marks.append((number, server.memory(), server.descriptors(), server.threads()))
                yield random.choice(hostile) if number % 20 == 19 else random.choice(requests)

        source = stream()

        async def clients() -> None:
            never = lambda: False  # noqa: E731
            await asyncio.gather(*[client(server.port, source, found, never, 0.0) for _ in range(16)])

        asyncio.run(clients())
        time.sleep(6)
        marks.append((options.requests, server.memory(), server.descriptors(), server.threads()))
        left = len(list(server.temporary.iterdir()))
    # The first fifth fills pools and arenas; what grows after it would go on growing.
    late = marks[2:]
    slope = statistics.linear_regression([mark[0] for mark in late], [mark[1] for mark in late]).slope
    line = {**outcome(found), "mb_per_10000_requests": round(slope * 10_000, 3), "files_left": left}
    yield line | {"marks": [[n, round(mb, 1), files, threads] for n, mb, files, threads in marks]}


def hostile_requests(address: str, photo: bytes) -> list[bytes]:
    """Requests that must be refused and leave nothing behind."""
    json_kind, form = "application/json", form_of(photo)
    return [
        request_of(address, b"{", json_kind),
        request_of(address, b"[" * 9000, json_kind),
        request_of(address, b'{"images": ["*"]}', json_kind),
        request_of(address, form[:-40]),
        request_of(address, form.replace(b'name="images"', b'name="url"')),
        request_of(address, form_of(b"<html>")),
        request_of(address, form_of(photo[: len(photo) // 2])),
        request_of(address, form_of(bomb(20_000))),
        request_of("/v1/models/../../etc:predict", form),
        request_of("/v2/models/model/infer", b'{"inputs": []}', json_kind),
        request_of(address, form).replace(b"Host: 127.0.0.1", b"Host: evil.test"),
        request_of(address, form).replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n", 1),
    ]


def bomb(side: int = 8000) -> bytes:
    """A PNG of 64 million pixels in some kilobytes: the largest that is decoded at all."""
    file = io.BytesIO()
    Image.new("RGB", (side, side)).save(file, "PNG")
    return file.getvalue()


def bombs(options: argparse.Namespace, photos: list[bytes]) -> Iterator[dict]:
    """Sixteen images at once, as large as are decoded and larger: the server's peak of memory."""
    for side in (8000, 20_000):
        with fieldguide(options.model) as server:
            load(server, photos, 4, 1.0)
            before = server.memory()
            found = load(server, [bomb(side)], 16, min(10.0, options.seconds))
            peak = round(server.peak())
            yield {"side": side, "before_mb": round(before), "peak_mb": peak, **outcome(found)}


def outcome(found: Found) -> dict:
    """Statuses and losses."""
    return {"statuses": dict(found.statuses), "lost": found.lost}


MEASUREMENTS = {name: globals()[name] for name in NAMES}

if __name__ == "__main__":
    main()

"""Writes docs/reference.md from the docstrings of the public names: `python docs/make_reference.py`.

Examples become blocks that tests/test_docs.py runs; tests/test_reference.py sees that the page is up to date.
"""

import inspect
import re
from pathlib import Path

import fieldguide

PAGE = Path(__file__).with_name("reference.md")
HEAD = """# Reference of the Python names

Made from the docstrings by `docs/make_reference.py`; [python.md](python.md) tells how they belong together.
`dir(fieldguide)` lists them. The examples run, in a folder with `photos/`, `new.jpg` and `model.onnx`,
and what is made here:

```python
import shutil
from pathlib import Path

from PIL import Image, ImageOps

from fieldguide import Dataset, ImageClassifier, ImageFeatures

for place in ("a.jpg", "b.jpg", "new/one.jpg"):
    Path(place).parent.mkdir(exist_ok=True)
    shutil.copy("new.jpg", place)
Path("photos/negative").mkdir()  # a third class
for photo in list(Path("photos/flower").iterdir())[:12]:
    ImageOps.invert(Image.open(photo)).save(Path("photos/negative", photo.name))
```
"""
NEED_EXTRAS = ("log_to", "merge", "zero_shot")
"""Their examples are shown, and run by tests of their own where the extra is installed."""
SECTIONS = ("Parameters", "Returns", "Raises", "Attributes", "Notes", "Examples")
SECTION = re.compile(rf"^({'|'.join(SECTIONS)})\n-+\n", re.MULTILINE)


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """The whole page."""
    names = [name for name in fieldguide.__all__ if not name.startswith("_")]
    return HEAD + "".join(f"\n## {name}\n\n{described(name)}" for name in sorted(names, key=str.lower))


def described(name: str) -> str:
    """One name: its signature, and what its docstring says; a class's methods in a table."""
    thing = getattr(fieldguide, name)
    told = markdown(inspect.getdoc(thing) or "")
    told = told.replace("```python", "```text") if name in NEED_EXTRAS else told
    text = f"```text\n{signature(name, thing)}\n```\n\n{told}"
    return text + methods(thing) if inspect.isclass(thing) else text


def signature(name: str, thing: object) -> str:
    """How it is called: names and defaults, a line each where they are many."""
    parameters = [
        one.replace(annotation=inspect.Parameter.empty)
        for one in inspect.signature(thing).parameters.values()  # type: ignore[arg-type]
    ]
    whole = str(inspect.Signature(parameters))
    return (
        f"{name}{whole}"
        if len(whole) < 90
        else f"{name}(\n    " + whole[1:-1].replace(", ", ",\n    ") + "\n)"
    )


def markdown(text: str) -> str:
    """A docstring in numpy's form as Markdown."""
    first, *rest = SECTION.split(plain(text))
    written = first.strip() + "\n"
    for title, body in zip(rest[::2], rest[1::2], strict=True):
        written += f"\n**{title}**\n\n{example(body) if title == 'Examples' else rows(body)}"
    return written


def plain(text: str) -> str:
    """Sphinx's marks as Markdown's."""
    return re.sub(r":\w+:`~?([^`]+)`", r"`\1`", text).replace("``", "`")


def rows(body: str) -> str:
    """Names with their meaning as a list."""
    found = re.split(r"\n(?=\S)", body.strip("\n"))
    listed = (one.partition("\n") for one in found)
    return "".join(f"- **{name.strip()}**: {' '.join(told.split())}\n" for name, _, told in listed)


def example(body: str) -> str:
    """What is typed, to be run; what is answered is shown as a comment."""
    lines = []
    for line in body.strip("\n").splitlines():
        typed = re.sub(r"\s*# doctest: \+SKIP", "", line)
        lines.append(typed[4:] if typed.startswith((">>> ", "... ")) else f"# {typed}".rstrip())
    return "```python\n" + "\n".join(lines) + "\n```\n"


def methods(kind: type) -> str:
    """Public methods and properties of ours that have a docstring, with its first sentence."""
    found = [(name, member) for name, member in inspect.getmembers(kind) if not name.startswith("_")]
    listed = [(name, plain(inspect.getdoc(one) or "").split("\n")[0]) for name, one in found if is_ours(one)]
    table = "".join(f"| `{name}` | {told.replace('|', '/')} |\n" for name, told in listed if told)
    return f"\n| member | |\n| --- | --- |\n{table}" if table else ""


def is_ours(member: object) -> bool:
    """Whether a method or a property stands in this package, and not in a library's class below."""
    code = member.fget if isinstance(member, property) else member
    return callable(code) and str(getattr(code, "__module__", "")).startswith("fieldguide")


if __name__ == "__main__":
    main()

"""Draws docs/demo.svg, the picture of the README: what `fieldguide demo` says, as it says it."""

import io
import re
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from fieldguide.demo import demo


def main() -> None:
    """Run the demo and keep its words as a picture of a terminal."""
    with tempfile.TemporaryDirectory() as folder:
        console = Console(record=True, width=112, file=io.StringIO())
        console.print("$ fieldguide demo", style="bold")
        place = Path(folder) / "fieldguide-demo"
        demo(place, say=lambda line: console.print(Text(line.replace(f"{folder}/", ""))))
        picture = console.export_svg(title="fieldguide", unique_id="demo")
    picture = re.sub(r"@font-face \{.*?\}", "", picture, flags=re.DOTALL)  # these ask a server for fonts
    Path(__file__).with_name("demo.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()

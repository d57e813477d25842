"""Draws docs/architecture.svg: the packages of src/fieldguide by floor, and what they import.

    python docs/make_architecture.py

Packages and floors come from docs/architecture.md, arrows from the import lines of the code. An arrow that
two others say already (a imports b, b imports c) is left out.
"""

import ast
import re
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

HERE = Path(__file__).parent
SOURCE = HERE.parent / "src" / "fieldguide"
GROUND = {
    "errors",
    "files",
    "installation",
    "large_arrays",
    "mixins",
    "plain_text",
    "progress",
    "threads",
    "__init__",
    "__main__",
}
"""Left out of the picture: what nearly everything imports, and the public names."""
COLOURS = {"learning": "#f6e3c5", "using": "#cfe5f2", "both": "#e2efd9", "doors": "#ece2f3"}
HALVES = {
    "learning": ("training", "heads", "recipes", "learning", "experiments", "audit", "backbones"),
    "using": ("explanation", "prediction", "evaluation", "server", "report", "displays"),
    "doors": ("cli", "app", "commands", "api"),
}


def floors() -> dict[str, int]:
    """Packages and their floors, as docs/architecture.md has them."""
    rows = re.findall(r"^\| (\d+) \| (.+?) \|", (HERE / "architecture.md").read_text(), re.MULTILINE)
    return {name: int(floor) for floor, names in rows for name in re.findall(r"`(\w+)`", names)}


def imports(names: set[str]) -> dict[str, set[str]]:
    """Which packages each package imports."""
    found: dict[str, set[str]] = {name: set() for name in names}
    for path in SOURCE.rglob("*.py"):
        package = path.relative_to(SOURCE).with_suffix("").parts[0]
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("fieldguide"):
                rest = (node.module or "").split(".")[1:]
                for target in rest[:1] or [alias.name for alias in node.names]:
                    if {package, target} <= names and package != target:
                        found[package].add(target)
    return found


def reduced(arrows: dict[str, set[str]]) -> dict[str, set[str]]:
    """The arrows without those that a longer way says already."""

    def reach(name: str) -> set[str]:
        return set().union(*({target} | reach(target) for target in arrows[name]))

    return {
        name: {t for t in targets if not any(t in reach(other) for other in targets - {t})}
        for name, targets in arrows.items()
    }


def half(name: str) -> str:
    """Which part of the house a package belongs to."""
    return next((part for part, names in HALVES.items() if name in names), "both")


def main() -> None:
    """Draw the picture."""
    floor = {name: number for name, number in floors().items() if name not in GROUND}
    levels = sorted(set(floor.values()))
    rows = {level: sorted(name for name in floor if floor[name] == level) for level in levels}
    place = {
        name: (10 * (index + 0.5) / len(row), 1.15 * levels.index(level))
        for level, row in rows.items()
        for index, name in enumerate(row)
    }
    plt.rcParams.update({"svg.hashsalt": "fieldguide", "svg.fonttype": "none", "font.size": 12})
    figure, axes = plt.subplots(figsize=(11, 9.5))
    for name, targets in reduced(imports(set(floor))).items():
        for target in sorted(targets):
            (x, y), (to_x, to_y) = place[name], place[target]
            arrow = {"arrowstyle": "-|>", "color": "#8a8a8a", "lw": 1, "shrinkA": 0, "shrinkB": 2}
            axes.annotate("", (to_x, to_y + 0.28), (x, y - 0.28), arrowprops=arrow)
    for name, (x, y) in place.items():
        box = {"boxstyle": "round,pad=0.45", "fc": COLOURS[half(name)], "ec": "#6b6b6b"}
        axes.text(x, y, name, ha="center", va="center", bbox=box)
    for index, (part, colour) in enumerate(COLOURS.items()):
        axes.text(0.2 + 1.5 * index, -0.95, part, bbox={"boxstyle": "round", "fc": colour, "ec": "none"})
    axes.set(xlim=(0, 10), ylim=(-1.2, 1.15 * len(levels) - 0.4))
    axes.axis("off")
    figure.savefig(HERE / "architecture.svg", metadata={"Date": None}, bbox_inches="tight")


if __name__ == "__main__":
    main()

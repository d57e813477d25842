"""Which changes to the modules that guard no test notices: a mutation tester.

Every module of :data:`MODULES` is changed in one place (``<`` becomes ``<=``, a condition is turned round,
a number is one more, a loop is never entered …; the operators are those of cosmic-ray), and its own tests run
on each change. A change that they notice is killed; one that they do not is shown. Survivors that change
nothing that matters are listed with the reason in ``mutants_equivalent.txt``, by module and changed line.

A mutant costs what its tests cost without their imports: a process that has loaded the libraries forks, the
child imports the changed module in place of the true one, and runs pytest. What tests start as processes of
their own is therefore not changed. Needs Linux or macOS and ``pip install 'cosmic-ray>=8.4'``.

    python benchmarks/mutants.py                      # all modules: hours
    python benchmarks/mutants.py images.tiff_page     # some
    python benchmarks/mutants.py --most 60            # at most 60 of each, drawn by seed
"""

import argparse
import ast
import difflib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")
os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "fieldguide"
EQUIVALENT = Path(__file__).with_name("mutants_equivalent.txt")
IMPORTED_ONCE = ("numpy", "PIL.Image", "pytest", "hypothesis.strategies", "onnxruntime", "scipy.optimize")
"""Loaded before forking; nothing of fieldguide, which each child imports anew."""
IMPORTED_FOR_TRAINING = ("torch", "lightning.fabric", "timm")
"""Loaded as well where a module that trains is named; they would cost each mutant seconds."""
MODULES: dict[str, tuple[str, ...]] = {
    "images.tiff_directory": ("images/test_tiff_directory.py", "images/test_tiff.py"),
    "images.tiff_page": ("images/test_tiff_page.py", "images/test_tiff.py"),
    "images.tiff_values": ("images/test_tiff_values.py",),
    "images.tiff": ("images/test_tiff.py", "images/test_tiff_values.py"),
    "images.channels": ("images/test_channels.py",),
    "images.camera_raw": ("images/test_camera_raw.py",),
    "images.header": ("images/test_header.py",),
    "images.jpeg": ("images/test_jpeg.py", "images/test_decoding.py"),
    "images.png": ("images/test_png.py", "images/test_decoding.py"),
    "images.containers": ("images/test_containers.py", "images/test_decoding.py"),
    "images.av1": ("images/test_av1.py",),
    "images.formats": ("images/test_formats.py",),
    "images.modes": ("images/test_modes.py",),
    "images.decoding": ("images/test_network_input.py", "images/test_decoding.py", "images/test_formats.py"),
    "images.dicom.elements": ("images/dicom/test_elements.py",),
    "images.dicom.frames": ("images/dicom/test_frames.py",),
    "images.dicom.greyscale": ("images/dicom/test_greyscale.py",),
    "images.dicom.reader": ("images/dicom/test_reader.py",),
    "data.archives": ("data/test_archives.py",),
    "data.splits": ("data/test_splits.py",),
    "data.folds": ("data/test_folds.py",),
    "data.holding_out": ("data/test_holding_out.py",),
    "data.leaks": ("data/test_leaks.py",),
    "data.forms.label_names": ("data/forms/test_label_names.py",),
    "data.forms.file_index": ("data/forms/test_file_index.py",),
    "heads.calibration": ("heads/test_calibration.py",),
    "heads.out_of_distribution": ("heads/test_out_of_distribution.py",),
    "heads.promises": ("heads/test_promises.py",),
    "server.connections": ("server/test_connection_clocks.py", "server/test_connections.py"),
    "server.exchange": ("server/test_exchange.py",),
    "server.access": ("server/test_access.py",),
    "server.admission": ("server/test_admission.py",),
    "server.bodies": ("server/test_bodies.py",),
    "modelfile.card": ("modelfile/test_card.py",),
    "modelfile.checks": ("modelfile/test_checks.py", "modelfile/test_attacks.py"),
    "modelfile.contents": ("modelfile/test_contents.py",),
    "modelfile.limits": ("modelfile/test_limits.py",),
    "modelfile.output_checks": ("modelfile/test_output_checks.py",),
    "modelfile.wire_format": ("modelfile/test_wire_format.py",),
    "storage.checksummed_files": ("storage/test_checksummed_files.py",),
    "training.checkpoint": ("training/test_checkpoint.py",),
    "training.loop": ("training/test_loop.py",),
}
"""Module below fieldguide to its tests below tests/."""
_COMPARISONS = {
    "Lt": ("LtE", "GtE"), "LtE": ("Lt",), "Gt": ("GtE", "LtE"), "GtE": ("Gt",),
    "Eq": ("NotEq",), "NotEq": ("Eq",), "Is": ("IsNot",), "IsNot": ("Is",),
}  # fmt: skip
_ARITHMETIC = (
    ("Add", "Sub"), ("Sub", "Add"), ("Mul", "FloorDiv"), ("FloorDiv", "Mul"), ("Div", "Mul"),
    ("Mod", "FloorDiv"), ("LShift", "RShift"), ("RShift", "LShift"), ("BitAnd", "BitOr"),
)  # fmt: skip
OPERATORS = (
    *(f"ReplaceComparisonOperator_{one}_{other}" for one, others in _COMPARISONS.items() for other in others),
    *(f"ReplaceBinaryOperator_{one}_{other}" for one, other in _ARITHMETIC),
    "ReplaceUnaryOperator_Delete_Not",
    "ReplaceUnaryOperator_Delete_USub",
    "ReplaceTrueWithFalse",
    "ReplaceFalseWithTrue",
    "ReplaceAndWithOr",
    "ReplaceOrWithAnd",
    "AddNot",
    "ReplaceBreakWithContinue",
    "ReplaceContinueWithBreak",
    "ExceptionReplacer",
    "NumberReplacer",
    "ZeroIterationForLoop",
)
"""cosmic-ray's, without what makes ten variants of one place, and without ``|``, which is mostly in types.

Values outside functions are left as they are: tables of tags and codes, which only a file with that very tag
would show, and `frozen=True`.
"""
IN_PROCESSES = (
    "test_two_processes_share_each_batch_and_end_alike",
    "test_bombs_are_refused_from_the_header_alone",
    "test_the_largest_images_that_are_read_stay_within_memory_and_time",
)
"""Tests that look at processes of their own, where the module is as it was; they notice nothing here."""
ASKED = (
    *("-x", "-q", "-p", "no:cacheprovider", f"--rootdir={ROOT}", "-c", str(ROOT / "pyproject.toml")),
    *("-o", "addopts=", "--import-mode=importlib", "-m", "not long"),
    *("-k", " and ".join(f"not {name}" for name in IN_PROCESSES)),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),  # libraries are loaded before pytest comes
)
"""Words for pytest; its plug-ins are left out, which cost more than most tests here."""
VALUES = ("NumberReplacer", "ReplaceTrueWithFalse", "ReplaceFalseWithTrue")
LEAST_SECONDS, TIMES_LONGER = 20.0, 8.0
"""A mutant may take this much longer than the true module; then it hangs, which is noticed, too."""


@dataclass(frozen=True)
class Mutant:
    """One change to a module."""

    operator: str
    line: int
    change: str
    """The changed line before and after."""
    code: str


def main() -> int:
    """Run what was asked for; show survivors as they are found, and a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="such as images.tiff (default: all)")
    parser.add_argument("--most", type=int, metavar="N", help="at most so many mutants of a module")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no module after this time")
    options = parser.parse_args()
    unknown = [name for name in options.modules if name not in MODULES]
    if unknown:
        parser.error(f"MODULE must be one of {', '.join(MODULES)}; got {', '.join(unknown)}")
    training = any(name.startswith("training.") for name in options.modules)
    for name in (*IMPORTED_ONCE, *(IMPORTED_FOR_TRAINING if training else ())):
        if importlib.util.find_spec(name.partition(".")[0]) is not None:
            importlib.import_module(name)
    sys.path[:0] = [str(SOURCE.parent)]
    end = time.monotonic() + 60 * options.minutes
    rows = []
    for name in options.modules or MODULES:
        if time.monotonic() > end:
            print(f"{name}: not run, the time is over", flush=True)
            continue
        rows.append((name, tested(name, options.most, options.seed)))
    print("\n| module | mutants | killed | equivalent | survived | killed of those that matter |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, counts in rows:
        total = counts.total()
        share = counts["killed"] / max(1, total - counts["equivalent"])
        print(
            f"| `{name}` | {total} | {counts['killed']} | {counts['equivalent']} | {counts['survived']} "
            f"| {share:.0%} |"
        )
    return 0


def tested(name: str, most: int | None, seed: int) -> Counter[str]:
    """Run the tests of one module on its mutants, and show those that live."""
    path = SOURCE.joinpath(*name.split(".")).with_suffix(".py")
    tests = [str(ROOT / "tests" / test) for test in MODULES[name]]
    started = time.monotonic()
    if run(name, path, path.read_text(encoding="utf-8"), tests, 600.0) != "survived":
        print(f"{name}: its tests fail on the true module; mend that first", flush=True)
        return Counter()
    limit = max(LEAST_SECONDS, TIMES_LONGER * (time.monotonic() - started))
    found = list(mutants(path))
    if most is not None and len(found) > most:
        found = sorted(random.Random(seed).sample(found, most), key=lambda mutant: mutant.line)
    equivalent, counts = known_equivalents(name), Counter[str]()
    for mutant in found:
        if mutant.change in equivalent:
            counts["equivalent"] += 1
            continue
        outcome = run(name, path, mutant.code, tests, limit)
        counts[outcome] += 1
        if outcome == "survived":
            print(f"{name}:{mutant.line} {mutant.operator}\n    {mutant.change}", flush=True)
    seconds = time.monotonic() - started
    print(f"{name}: {counts['killed']} of {len(found)} killed, {seconds:.0f} s", flush=True)
    return counts


def known_equivalents(name: str) -> set[str]:
    """Changes of a module that somebody looked at and found to change nothing that matters."""
    lines = EQUIVALENT.read_text(encoding="utf-8").splitlines() if EQUIVALENT.exists() else []
    cells = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return {cell[1] for cell in cells if cell[0] == name}


def mutants(path: Path) -> Iterator[Mutant]:
    """All changes to a module that can be made by :data:`OPERATORS`."""
    plugins = importlib.import_module("cosmic_ray.plugins")
    mutating = importlib.import_module("cosmic_ray.mutating")
    source = path.read_text(encoding="utf-8")
    seen, inside = {source}, lines_of_functions(source)
    for name in OPERATORS:
        operator = plugins.get_operator(f"core/{name}")()
        for occurrence in range(10_000):
            try:
                code = mutating.mutate_code(source, operator, occurrence)
            except AttributeError:  # it cannot replace an exception with a dot in its name
                continue
            if code is None:
                break
            if code in seen or not compiles(code):
                continue
            seen.add(code)
            line, change = difference(source, code)
            if name not in VALUES or line in inside:
                yield Mutant(name, line, change, code)


def lines_of_functions(source: str) -> set[int]:
    """Numbers of the lines between the first and the last of a function's body."""
    functions = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return {line for node in functions for line in range(node.body[0].lineno, (node.end_lineno or 0) + 1)}


def compiles(code: str) -> bool:
    """Whether a mutant is Python at all."""
    try:
        compile(code, "mutant", "exec")
    except SyntaxError:
        return False
    return True


def difference(before: str, after: str) -> tuple[int, str]:
    """The first line that differs, and what becomes of it."""
    for number, (one, other) in enumerate(
        zip(before.splitlines(), after.splitlines(), strict=False), start=1
    ):
        if one != other:
            return number, f"{one.strip()}  →  {other.strip()}"
    return 0, "".join(difflib.ndiff([before], [after]))[:100]


class Mutated(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives the changed module where the true one is asked for."""

    def __init__(self, name: str, path: Path, code: str) -> None:
        self.name, self.path, self.code = f"fieldguide.{name}", path, code

    def find_spec(self, fullname: str, path: object, target: object = None) -> object:
        """Only this one module."""
        if fullname != self.name:
            return None
        return importlib.util.spec_from_file_location(fullname, self.path, loader=self)

    def exec_module(self, module: object) -> None:
        """Run the changed code as if it stood in the file."""
        exec(compile(self.code, str(self.path), "exec"), vars(module))


def run(name: str, path: Path, code: str, tests: Sequence[str], limit: float) -> str:
    """What the tests make of one version of a module: killed or survived."""
    child = os.fork()
    if child == 0:
        os.setsid()
        code_of_exit = 70
        try:
            nowhere = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(nowhere, stream)
            sys.meta_path.insert(0, Mutated(name, path, code))
            import pytest

            code_of_exit = int(pytest.main([*ASKED, *tests]))
        finally:
            os._exit(code_of_exit)
    end = time.monotonic() + limit
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return "survived" if os.waitstatus_to_exitcode(status) == 0 else "killed"
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "killed"


if __name__ == "__main__":
    sys.exit(main())

"""The house rules, held by reading the code: arrows point down, rooms are small, only the door speaks."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "fieldguide"

ARCHITECTURE = Path(__file__).parents[1] / "docs" / "architecture.md"


def floors_of(page):
    """Packages and modules at the top of the tree, by the table of floors in docs/architecture.md."""
    rows = re.findall(r"^\| (\d+) \| (.+?) \|", page, re.MULTILINE)
    return {name: int(floor) for floor, names in rows for name in re.findall(r"`(\w+)`", names)}


FLOORS = floors_of(ARCHITECTURE.read_text(encoding="utf-8"))

# The version number is the one thing that a door takes from the top.
ALLOWED = {("cli", "__init__")}

HEAVY = (
    "torch",
    "torchvision",
    "timm",
    "sklearn",
    "onnx",
    "scipy",
    "ray",
    "streamlit",
    "pyarrow",
    "pandas",
    "skimage",
)

# A function of `api` has the options of its command, each by keyword.
OPTIONS_BY_KEYWORD = frozenset({"api"})
MOST_LINES, MOST_FUNCTION_LINES, MOST_ARGUMENTS = 400, 45, 6
MOST_AT_THE_TOP, MOST_IN_A_FOLDER = 12, 25
MOST_WITHOUT_A_TWIN = 23
TESTS = Path(__file__).parent

MODULES = sorted(path for path in PACKAGE.rglob("*.py"))


def name_of(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def imported(tree, names):
    """Modules of the package that a syntax tree imports, wherever it does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "fieldguide":
                    yield alias.name.removeprefix("fieldguide").removeprefix(".") or "__init__"
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: relative import"
            if (node.module or "").split(".")[0] == "fieldguide":
                base = node.module.removeprefix("fieldguide").removeprefix(".")
                for alias in node.names:
                    full = f"{base}.{alias.name}".removeprefix(".")
                    yield full if full in names else (base or "__init__")


def room(name):
    """The package, or module at the top, that a module belongs to."""
    return name.split(".")[0]


def violations(name, tree, floors, names):
    """Imports from another package that does not lie on a lower floor."""
    return [
        f"{name} (floor {floors.get(room(name))}) imports {target} (floor {floors.get(room(target))})"
        for target in imported(tree, names)
        if room(target) != room(name)
        and floors.get(room(target), 99) >= floors.get(room(name), 0)
        and (name, target) not in ALLOWED
    ]


def circle(arrows):
    """Modules that import each other in a loop, or None; `arrows` maps a module to those it imports."""
    left = {name: set(targets) for name, targets in arrows.items()}
    while free := [name for name, targets in left.items() if not targets & left.keys()]:
        for name in free:
            del left[name]
    return sorted(left) or None


def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def code_lines(function):
    """Lines of a function without its docstring."""
    total = function.end_lineno - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None:
        total -= first.end_lineno - first.lineno + 1
    return total


NAMES = {name_of(path) for path in MODULES}


def test_every_room_has_a_floor():
    assert {room(name) for name in NAMES} == set(FLOORS)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_down(path):
    assert violations(name_of(path), parsed(path), FLOORS, NAMES) == []


@pytest.mark.parametrize(
    "code",
    [
        "from fieldguide.cli import main",
        "from fieldguide import cli",
        "import fieldguide.cli",
        "def f():\n    from fieldguide.cli import main",
        "if TYPE_CHECKING:\n    import fieldguide.cli",
        "from fieldguide.images import decoding",
    ],
)
def test_an_arrow_that_points_up_or_sideways_is_seen(code):
    assert violations("files", ast.parse(code), FLOORS, NAMES) != []


@pytest.mark.parametrize("package", sorted({room(name) for name in NAMES if "." in name}))
def test_inside_a_package_nothing_imports_in_a_circle(package):
    inside = {name_of(path): parsed(path) for path in MODULES if room(name_of(path)) == package}
    arrows = {
        name: {target for target in imported(tree, NAMES) if target in inside and target != name}
        for name, tree in inside.items()
    }
    assert circle(arrows) is None


def test_a_circle_is_seen():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == ["a", "b", "c", "d"]
    assert circle({"a": {"b"}, "b": set()}) is None


def test_there_are_few_rooms_and_none_is_crowded():
    at_the_top = [path for path in MODULES if path.parent == PACKAGE]
    assert len(at_the_top) <= MOST_AT_THE_TOP
    for folder in {path.parent for path in MODULES}:
        assert len(list(folder.glob("*.py"))) <= MOST_IN_A_FOLDER, folder


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_rooms_are_small(path):
    tree = parsed(path)
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES
    for function in functions(tree):
        assert code_lines(function) <= MOST_FUNCTION_LINES, function.name
        arguments = function.args
        by_keyword = [] if room(name_of(path)) in OPTIONS_BY_KEYWORD else arguments.kwonlyargs
        listed = [*arguments.posonlyargs, *arguments.args, *by_keyword]
        assert len([a for a in listed if a.arg not in ("self", "cls")]) <= MOST_ARGUMENTS, function.name


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_what_is_public_is_described(path):
    tree = parsed(path)
    assert ast.get_docstring(tree), "the module says nothing of itself"
    rooms = [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name[0] != "_")]
    for room in rooms:
        for node in room.body:
            public = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
            if public and not any(getattr(one, "id", "") == "overload" for one in node.decorator_list):
                assert ast.get_docstring(node), node.name


def test_a_module_has_a_twin_among_the_tests_or_stands_on_a_list_that_only_gets_shorter():
    exempt = (TESTS / "without_twins.txt").read_text().split()
    without = [
        str(path.relative_to(PACKAGE))
        for path in MODULES
        if path.name not in ("__init__.py", "__main__.py")
        and not (TESTS / path.relative_to(PACKAGE).parent / f"test_{path.name}").exists()
    ]
    assert sorted(set(without) - set(exempt)) == []  # write the twin: tests/<package>/test_<module>.py
    assert sorted(set(exempt) - set(without)) == []  # it has one now: take its line out
    assert len(exempt) <= MOST_WITHOUT_A_TWIN


def test_no_public_class_name_stands_twice():
    names = [
        node.name
        for path in MODULES
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def spoken(tree):
    """What prints, reads arguments or reads the environment."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("print", "input")
        ):
            yield node.func.id
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            whole = f"{node.value.id}.{node.attr}"
            if whole in ("os.environ", "os.getenv", "sys.argv", "sys.stdout", "sys.stderr", "sys.exit"):
                yield whole


# The place of the cache is the one thing that a library function takes from the environment; the training
# loop reads what torchrun says there, takes out what Lightning puts in, and puts in for a while which network
# interface processes of one machine meet on; the package itself puts in that
# ONNX Runtime is to tell nobody, and a cluster that Ray is not to.
# What a person sees while they wait is drawn by `displays`, for the command line and for notebooks.
DOORS = frozenset({"__main__", "app", "cli", "commands", "displays"})
SPOKEN_BELOW = {
    "cluster.ray_session": ["os.environ", "os.environ"],
    "__init__": ["os.environ", "os.environ"],
    "files": ["os.environ"],
    "training.devices": ["os.environ"] * 5,
}


@pytest.mark.parametrize("path", [path for path in MODULES if room(name_of(path)) not in DOORS], ids=name_of)
def test_only_the_door_prints_and_reads_arguments(path):
    assert list(spoken(parsed(path))) == SPOKEN_BELOW.get(name_of(path), [])


def test_speaking_is_seen():
    code = "def f():\n    print(1)\n    return os.environ['A'], sys.argv"
    assert sorted(spoken(ast.parse(code))) == ["os.environ", "print", "sys.argv"]


@pytest.mark.parametrize(
    "code",
    [
        "import fieldguide",
        "import fieldguide; fieldguide.load",
        "import fieldguide; fieldguide.predict, fieldguide.evaluate, fieldguide.explain, fieldguide.convert",
        "import fieldguide; fieldguide.open_dataset, fieldguide.next_to_label, fieldguide.split",
        "import fieldguide.displays.predictions, fieldguide.displays.evaluation, fieldguide.displays.dataset",
        "import fieldguide.prediction.predictor",
        "import fieldguide.evaluation.measurement, fieldguide.evaluation.model_comparison",
        "import fieldguide.data.dataset",
        "import fieldguide.explanation.explainer, fieldguide.explanation.overlay",
        "import fieldguide.explanation.nearest_images",
        "from fieldguide.cli import main; main(['predict', '--help'])",
        "import fieldguide.server.run",
        "from fieldguide.cli import main; main(['serve', '--help'])",
        "from fieldguide.cli import main; main(['--help'])",
    ],
)
def test_using_a_model_loads_no_training_library(code):
    if "server" in code:
        pytest.importorskip("uvicorn", reason="the extra serve is not installed")
    check = f"import sys; {code}; heavy = set({HEAVY}) & set(sys.modules); assert not heavy, heavy"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_importing_the_package_loads_nothing_at_all():
    code = "import sys, fieldguide; assert not {'numpy', 'onnxruntime', 'PIL', 'rich'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_importing_the_package_takes_a_blink():
    code = (
        "import time; begun = time.perf_counter(); import fieldguide; dir(fieldguide); "
        "print(time.perf_counter() - begun)"
    )
    runs = [subprocess.run([sys.executable, "-c", code], check=True, capture_output=True) for _ in range(5)]
    assert min(float(run.stdout) for run in runs) < 0.03


def test_the_command_line_shows_its_help_without_numpy():
    code = "import sys; from fieldguide.cli import main; main(['--help']); assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)

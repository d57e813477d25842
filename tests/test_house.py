"""The house rules, held by reading the code: arrows point down, rooms are small, only the door speaks."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "fieldguide"

# Tens are the floors of docs/architecture.md; units order the rooms of one floor. A module may import only
# from a smaller number, imports inside functions and for type checking included.
FLOORS = {
    # 1: ground
    "errors": 10,
    "progress": 10,
    "plain_text": 10,
    "ranking_curves": 11,
    "reliability": 12,
    "metrics": 10,
    "calibration": 10,
    "room": 11,
    "discriminant": 12,
    "threads": 10,
    "allocator": 10,
    "blas": 11,
    "files": 11,
    "intervals": 11,
    "familiarity": 13,
    "leading": 11,
    "evaluation": 12,
    "paired": 12,
    "selection": 12,
    "power_law": 10,
    "progress_file": 11,
    "workspace": 12,
    "jobs": 12,
    "abstention": 13,
    "confident": 10,
    # 2: pixels
    "preprocess": 20,
    "image_header": 20,
    "image_modes": 20,
    "image_formats": 20,
    "image_av1": 21,
    "image_containers": 22,
    "image_jpeg": 21,
    "image_png": 21,
    "image_tiff": 21,
    "images": 23,
    "thumbnails": 24,
    "photo_store": 24,
    "contact_sheet": 24,
    # 3: things
    "scan": 30,
    "tables": 30,
    "archives": 31,
    "layouts": 31,
    "listings": 32,
    "dataset": 33,
    "duplicates": 30,
    "splits": 31,
    "twins": 31,
    "backbone_taps": 30,
    "backbone_weights": 30,
    "backbone_state": 30,
    "backbone_classes": 30,
    "backbone_network": 31,
    "backbones": 31,
    "backbone_build": 32,
    "backbone_onnx": 32,
    "backbone_convert": 33,
    "backbone_export": 34,
    "backbone_join": 35,
    "classical_cells": 30,
    "classical_edges": 31,
    "classical_texture": 31,
    "classical_colour": 31,
    "classical_network": 32,
    "classical": 35,
    "onnx_wire": 30,
    "model_operators": 30,
    "model_constants": 32,
    "preprocess_graph": 31,
    "data_intake": 34,
    "model_tensors": 31,
    "model_card": 31,
    "model_checks": 33,
    "artifact": 34,
    "readout": 35,
    "session": 35,
    "heat_places": 35,
    "occlusion": 36,
    "heat": 37,
    # 4: pieces
    "feature_cache": 40,
    "feature_table": 40,
    "pixel_table": 41,
    "checkpoint": 40,
    "loop": 41,
    "precision": 40,
    "cnn_network": 40,
    "cnn_layers": 40,
    "cnn_optimizer": 40,
    "network_runner": 40,
    "augment_geometry": 40,
    "augment_library": 40,
    "augment_switches": 40,
    "augment_flips": 40,
    "augment_colour": 41,
    "augment": 42,
    "augment_preview": 43,
    "features": 41,
    "sight": 41,
    "second_look": 41,
    "held_out": 43,
    "corrections": 42,
    "additions": 42,
    "fix_table": 43,
    "leaks": 42,
    "what_next": 42,
    "feature_memory": 42,
    "graph": 41,
    "kernel_machine": 40,
    "forest": 40,
    "classical_heads": 41,
    "probe": 42,
    "prediction": 40,
    "explain": 40,
    "predictor": 41,
    "nearest": 42,
    "heat_picture": 43,
    "predict_inputs": 40,
    "prediction_rows": 41,
    "prediction_writers": 42,
    "checks.common": 44,
    "checks.blank": 45,
    "checks.class_names": 45,
    "checks.exact_duplicates": 45,
    "checks.extension": 45,
    "checks.fences": 45,
    "checks.groups": 45,
    "checks.imbalance": 45,
    "checks.label_errors": 45,
    "checks.leaks": 45,
    "checks.missing_classes": 45,
    "checks.near_duplicates": 45,
    "checks.refused": 45,
    "checks.tiny_classes": 45,
    "checks.two_labels": 45,
    "checks.blur": 46,
    "checks.brightness": 46,
    "checks.colour": 46,
    "checks.shape": 46,
    "checks.size": 46,
    "checks.unlike": 46,
    "checks": 47,
    "page_blocks": 40,
    "page_figures": 41,
    "page_thumbnails": 41,
    "page": 42,
    "witness": 43,
    # 5: families and tasks
    "recipes.common": 50,
    "recipes.material": 51,
    "recipes.learned_images": 52,
    "recipes.learned_network": 53,
    "recipes.learned": 54,
    "recipes.augmenting": 53,
    "recipes.cnn_task": 55,
    "recipes.cnn": 56,
    "recipes.linear_probe": 52,
    "recipes.finetune_layers": 52,
    "recipes.finetune_network": 54,
    "recipes.finetune_cache": 55,
    "recipes.finetune_task": 55,
    "recipes.finetune_presets": 56,
    "recipes.finetune_start": 57,
    "recipes.finetune": 58,
    "recipes.classical": 52,
    "recipes.svm": 53,
    "recipes.random_forest": 53,
    "answers": 53,
    "folding": 50,
    "recipes": 59,
    "evaluate": 50,
    "rivals": 51,
    "mirror": 52,
    "export_int8": 50,
    "export": 51,
    # 6: whole lines of work
    "audit": 60,
    "audit_page": 61,
    "train": 60,
    "history_picture": 60,
    "fold_results": 60,
    "cross_validation": 61,
    "comparison": 62,
    "compare": 63,
    "rehearsal": 62,
    "learning_curve": 62,
    "search_space": 62,
    "study": 63,
    "tune": 64,
    "tune_picture": 65,
    "estimator": 61,
    "demo": 62,
    "model_shelf": 61,
    "training_estimate": 60,
    "field_catalogue": 60,
    "field_originals": 61,
    "field_pictures": 61,
    "field_datasets": 62,
    "report.photos": 60,
    "report.material": 61,
    "report.headline": 62,
    "report.other_models": 62,
    "report.confusion": 62,
    "report.by_class": 62,
    "report.calibration_plot": 62,
    "report.coverage_plot": 62,
    "report.typicality_plot": 62,
    "report.feature_map": 62,
    "report.separation": 62,
    "report.galleries": 62,
    "report.training": 62,
    "report.data_findings": 62,
    "report.model_facts": 62,
    "report.next_steps": 63,
    "report.gather": 63,
    "report": 64,
    "server": 60,
    "server.settings": 60,
    "server.problems": 60,
    "server.logs": 60,
    "server.metrics": 60,
    "server.schemas": 60,
    "server.inference_schemas": 60,
    "server.batching": 60,
    "server.decoder": 60,
    "server.decoders": 61,
    "server.trial": 60,
    "server.models": 61,
    "server.bodies": 61,
    "server.desk": 62,
    "server.tensors": 62,
    "server.addresses": 62,
    "server.context": 63,
    "server.exchange": 63,
    "server.connections": 63,
    "server.entrance": 64,
    "server.guard": 65,
    "server.pages": 64,
    "server.predict": 65,
    "server.inference": 66,
    "server.document": 66,
    "server.app": 67,
    "server.run": 68,
    # 7: doors
    "terminal": 70,
    "app": 70,
    "app.choices": 71,
    "app.texts": 71,
    "app.camera": 72,
    "app.charts": 72,
    "app.room": 72,
    "app.parts": 72,
    "app.album": 72,
    "app.source": 73,
    "app.watching": 73,
    "app.answer_reasons": 74,
    "app.fixing": 74,
    "app.findings": 75,
    "app.classify": 76,
    "app.data": 76,
    "app.models": 76,
    "app.results": 76,
    "app.teach": 76,
    "app.train": 76,
    "app.main": 77,
    "app.server": 78,
    "commands.options": 71,
    "commands.summary": 71,
    "commands.history": 71,
    "commands.app": 72,
    "commands.backbones": 72,
    "commands.check": 72,
    "commands.compare": 72,
    "commands.dataset": 72,
    "commands.demo": 72,
    "commands.evaluate_page": 72,
    "commands.evaluate": 73,
    "commands.explain": 72,
    "commands.export": 72,
    "commands.info": 72,
    "commands.next_photos": 72,
    "commands.predict": 72,
    "commands.pretrained": 72,
    "commands.rehearse": 72,
    "commands.serve": 72,
    "commands.train": 72,
    "commands.tune": 72,
    "commands": 74,
    "cli": 75,
    "__main__": 76,
    "__init__": 99,  # hands out names of every floor, lazily; nothing below may import it
}

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

MOST_LINES, MOST_FUNCTION_LINES, MOST_ARGUMENTS = 350, 45, 6

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


def violations(name, tree, floors):
    return [
        f"{name} (floor {floors.get(name)}) imports {target} (floor {floors.get(target)})"
        for target in imported(tree, floors)
        if floors.get(target, 99) >= floors.get(name, 0) and (name, target) not in ALLOWED
    ]


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


def test_every_module_has_a_floor():
    assert {name_of(path) for path in MODULES} - set(FLOORS) == set()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_down(path):
    assert violations(name_of(path), parsed(path), FLOORS) == []


@pytest.mark.parametrize(
    "code",
    [
        "from fieldguide.cli import main",
        "from fieldguide import cli",
        "import fieldguide.cli",
        "def f():\n    from fieldguide.cli import main",
        "if TYPE_CHECKING:\n    import fieldguide.cli",
        "from fieldguide import intervals",
    ],
)
def test_an_arrow_that_points_up_or_sideways_is_seen(code):
    assert violations("files", ast.parse(code), FLOORS) != []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_rooms_are_small(path):
    tree = parsed(path)
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES
    for function in functions(tree):
        assert code_lines(function) <= MOST_FUNCTION_LINES, function.name
        arguments = function.args
        listed = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        assert len([a for a in listed if a.arg not in ("self", "cls")]) <= MOST_ARGUMENTS, function.name


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_what_is_public_is_described(path):
    tree = parsed(path)
    assert ast.get_docstring(tree), "the module says nothing of itself"
    rooms = [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name[0] != "_")]
    for room in rooms:
        for node in room.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                assert ast.get_docstring(node), node.name


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
# loop reads what torchrun says there and takes out what Lightning puts in; the package itself puts in that
# ONNX Runtime is to tell nobody.
SPOKEN_BELOW = {"__init__": ["os.environ"], "files": ["os.environ"], "loop": ["os.environ", "os.environ"]}


@pytest.mark.parametrize("path", [path for path in MODULES if FLOORS.get(name_of(path), 0) < 70], ids=name_of)
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
        "import fieldguide.predictor",
        "import fieldguide.evaluate, fieldguide.dataset, fieldguide.rivals",
        "import fieldguide.explain, fieldguide.heat_picture, fieldguide.nearest",
        "from fieldguide.cli import main; main(['predict', '--help'])",
        "import fieldguide.server.run",
        "from fieldguide.cli import main; main(['serve', '--help'])",
        "from fieldguide.cli import main; main(['--help'])",
    ],
)
def test_using_a_model_loads_no_training_library(code):
    check = f"import sys; {code}; heavy = set({HEAVY}) & set(sys.modules); assert not heavy, heavy"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_importing_the_package_loads_nothing_at_all():
    code = "import sys, fieldguide; assert not {'numpy', 'onnxruntime', 'PIL', 'rich'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_command_line_shows_its_help_without_numpy():
    code = "import sys; from fieldguide.cli import main; main(['--help']); assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)

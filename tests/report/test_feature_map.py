"""The embedding map."""

import importlib.util

import numpy as np

from fieldguide.report.feature_map import laid_out
from report_made import blocks, material, sections


def test_the_map_keeps_neighbours_together_and_is_the_same_each_time():
    rng = np.random.default_rng(0)
    features = np.repeat(np.eye(3, 20), 20, axis=0) + 0.05 * rng.normal(size=(60, 20))
    places = laid_out(features.astype(np.float32))
    assert places.min() == 0 and places.max() == 1
    apart = np.linalg.norm(places[:, None] - places[None], axis=2) + 9 * np.eye(60)
    assert (apart.argmin(axis=1) // 20 == np.arange(60) // 20).all()
    assert (places == laid_out(features.astype(np.float32))).all()
    assert (laid_out(np.ones((20, 4), dtype=np.float32)) == 0.5).all()


def test_without_scikit_learn_the_page_says_what_to_install(tmp_path, monkeypatch):
    made = material(tmp_path / "photos", each=4)
    find = importlib.util.find_spec
    missing = ("sklearn", "scipy")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in missing else find(name))
    page = sections(made)
    assert blocks(page["map"], "notice")[0].command.startswith("pip install 'jinja2>=")
    assert "with SciPy" in blocks(page["confusion"], "picture")[0].caption

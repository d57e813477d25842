"""FG022: 16-bit images that are nearly black."""

import numpy as np
from PIL import Image

from fieldguide.audit.run import audit
from fieldguide.data.dataset import open_dataset
from fieldguide.recipes.common import Options


def test_they_are_named(tmp_path):
    for row in range(8):
        folder = tmp_path / ("cat" if row % 2 else "dog")
        folder.mkdir(exist_ok=True)
        values = np.random.default_rng(row).integers(4096, size=(40, 40)).astype(np.uint16)
        bright = row == 0
        Image.fromarray(values * np.uint16(16 if bright else 1)).save(folder / f"{row}.png")
    with open_dataset(tmp_path) as dataset:
        found = audit(dataset, Options(settings={"size": 32}))
    (finding,) = (finding for finding in found.findings if finding.code == "FG022")
    assert finding.severity == "issue"
    assert set(finding.paths) == {f"{'cat' if row % 2 else 'dog'}/{row}.png" for row in range(1, 8)}
    assert "7 of 8 images looked at are 16-bit files with values of 12 bits only" in finding.message

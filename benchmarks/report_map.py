"""What the map of a report costs: `python benchmarks/report_map.py [PHOTOS]`.

Features of 1,280 numbers around a hundred centres stand in for those of photos; the layout is the report's.
"""

import sys
import time

import numpy as np

from fieldguide.report.feature_map import laid_out

WIDTH, CENTRES = 1280, 100


def main() -> None:
    """Lay out once and say the seconds."""
    photos = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    random = np.random.default_rng(0)
    centres = random.normal(size=(CENTRES, WIDTH))
    features = centres[np.arange(photos) % CENTRES] + random.normal(size=(photos, WIDTH))
    begun, processor = time.perf_counter(), time.process_time()
    laid_out(features.astype(np.float32))
    seconds, processor = time.perf_counter() - begun, time.process_time() - processor
    print(f"{photos:,} photos: {seconds:.1f} s, {processor:.1f} s of processor")


main()

"""Classes of very different size."""

from audit_evidence import N


def test_fg008_and_fg009_name_small_classes(bench):
    bench.labels = ["cow" if row < 2 else "bee" if row < 30 else "ant" for row in range(N)]
    imbalance, tiny = bench.check("FG008"), bench.check("FG009")
    assert (imbalance.count, tiny.count) == (1, 1)
    assert "'cow'" in imbalance.message
    assert "'cow': 2" in tiny.items[0].note

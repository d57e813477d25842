"""Classes with too few separate photos."""

from audit_evidence import N


def test_fg009_counts_look_alikes_and_groups_once(bench):
    for row in range(3, 36, 3):
        bench.copy(row, of=0)
    assert "'ant': 9" in bench.check("FG009").items[0].note
    bench.groups = ["" for _ in range(N)]
    for row in range(1, N, 3):
        bench.groups[row] = f"video {row % 2}"
    notes = [item.note for item in bench.check("FG009").items]
    assert notes == ["'bee': 2 separate photos", "'ant': 9 separate photos"]

"""Classes that a split lacks."""

from audit_evidence import N


def test_fg010_says_which_split_lacks_what(bench):
    bench.split()
    for row in range(N):
        if bench.labels[row] == "ant" and bench.splits[row] == "test":
            bench.splits[row] = "train"
        if bench.labels[row] == "bee" and bench.splits[row] == "train":
            bench.splits[row] = "test"
    found = bench.check("FG010")
    assert found.count == 2
    assert [item.note for item in found.items] == [
        "'bee' is not in train, so it is never predicted",
        "'ant' is not in test, so nothing is measured for it",
    ]

"""Images unlike all others."""

from audit_evidence import BY_CODE, rows_of


def test_fg018_names_images_far_from_every_class(bench):
    evidence = bench.evidence()
    evidence.held_out.distances[8] = 50.0
    evidence.held_out.distances[9] = 1e-6  # very usual is not unusual
    assert rows_of(BY_CODE["FG018"].check(evidence)) == {8}

"""Names that promise another format."""

from audit_evidence import rows_of


def test_fg002_names_files_of_another_format(bench):
    bench.mismatches = ((4, "the name ends in .png but the file holds JPEG"),)
    assert rows_of(bench.check("FG002")) == {4}

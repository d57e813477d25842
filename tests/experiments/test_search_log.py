"""The file of a search: goes on behind what a kill left, one process at a time."""

import pytest

from fieldguide.errors import OutputError
from fieldguide.experiments.search_log import SearchLog


def test_what_was_written_is_read_again_and_what_is_torn_off_is_written_over(tmp_path, caplog):
    path = tmp_path / "a.search"
    log = SearchLog(path)
    log.append_logs([{"one": 1}, {"two": float("inf")}])
    log.close()
    with path.open("ab") as file:
        file.write(b"half of a li")
    log = SearchLog(path)
    assert list(log.read_logs(1)) == [{"two": float("inf")}]
    log.append_logs([{"three": "ä"}])
    log.close()
    assert not caplog.records
    log = SearchLog(path)
    assert list(log.read_logs(0)) == [{"one": 1}, {"two": float("inf")}, {"three": "ä"}]
    log.close()


@pytest.mark.parametrize("bit", [0, 3])
def test_a_flipped_bit_ends_the_file_there_and_is_said_once(tmp_path, caplog, bit):
    path = tmp_path / "a.search"
    log = SearchLog(path)
    log.append_logs([{"one": 1}, {"two": 2}, {"three": 3}])
    log.close()
    content = bytearray(path.read_bytes())
    content[content.index(b'"two": 2') + 7] ^= 1 << bit  # still JSON: another number
    path.write_bytes(content)
    log = SearchLog(path)
    assert list(log.read_logs(0)) == [{"one": 1}]
    log.append_logs([{"two": 2}])
    log.close()
    assert [record.getMessage() for record in caplog.records] == [
        f"{path}: is damaged; the trials from there on in it are computed again"
    ]
    log = SearchLog(path)
    assert list(log.read_logs(0)) == [{"one": 1}, {"two": 2}]
    log.close()
    assert len(caplog.records) == 1


def test_two_searches_do_not_share_a_file(tmp_path):
    first = SearchLog(tmp_path / "a.search")
    with pytest.raises(OutputError, match="another search"):
        SearchLog(tmp_path / "a.search")
    first.close()
    SearchLog(tmp_path / "a.search").close()

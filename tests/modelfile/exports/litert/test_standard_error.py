"""Messages of native libraries: kept from the terminal, and at hand as a reason."""

import os
import sys

import pytest

from fieldguide.modelfile.exports.litert.standard_error import caught


def test_what_is_written_past_python_is_caught(capfd):
    with caught() as said:
        os.write(2, b"INFO: made\n  something\n")
        assert said() == "INFO: made something"
    assert capfd.readouterr().err == ""


def test_afterwards_standard_error_is_as_before(capfd):
    with pytest.raises(ValueError, match="inside"), caught():
        raise ValueError("inside")
    sys.stderr.write("heard\n")
    os.write(2, b"and heard\n")
    assert capfd.readouterr().err == "heard\nand heard\n"

from playbill.app.updater_process import Checkpoints


class Counting:
    """A row of the board that counts."""

    def __init__(self):
        self.errors = 0

    def add(self, counter, amount=1):
        assert counter == "errors"
        self.errors += amount


class FullDisk:
    """An updater whose checkpoints are refused while ``full``."""

    full = True

    def checkpoint(self):
        if self.full:
            raise OSError(28, "No space left on device")


def test_a_disk_that_refuses_checkpoints_is_counted_each_time_and_named_once(capsys):
    updater, row = FullDisk(), Counting()
    checkpoints = Checkpoints(updater, row)
    for _ in range(3):
        checkpoints.write()
    assert row.errors == 3
    assert capsys.readouterr().err.count("no checkpoint was written: No space left") == 1
    updater.full = False
    checkpoints.write()
    updater.full = True
    checkpoints.write()
    assert (row.errors, capsys.readouterr().err.count("No space left")) == (4, 1)

from contextlib import contextmanager

import pytest

from laws.event_log_suite import EventLogSuite
from playbill.events import MemoryEventLog


class TestMemoryEventLog(EventLogSuite):
    @pytest.fixture
    def new_log(self):
        return MemoryEventLog

    @contextmanager
    def refusing(self, log, writer):
        log.full = True
        yield
        log.full = False

import pytest

pytest.register_assert_rewrite("laws.event_log_suite")

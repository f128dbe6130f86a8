import pytest

pytest.register_assert_rewrite("laws.key_store_suite")

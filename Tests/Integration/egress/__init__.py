"""What the tests of egress run against: real proxies, a stand-in for Google, scripted proxies, and a client."""

import pytest

# Before the first import: its fixtures assert.
pytest.register_assert_rewrite("egress.lab", "egress.litellm")

"""What the tests of dashboards, rules and the compose stack share: a load, a real Prometheus, readers of files."""

import pytest

# Before the first import: these modules assert.
pytest.register_assert_rewrite("observability.prometheus", "observability.stackfile")

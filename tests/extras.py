"""Tests that need more than ``pip install '.[test]'``."""

import os
from importlib.util import find_spec

import pytest


def need_lint(*modules):
    """Skip a test without the tools of the extra lint; fail it where they have to be there, as in CI's checks."""
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        reason = f'needs the extra lint: {", ".join(missing)} not installed'
        if os.environ.get('MMP_REQUIRE_LINT'):
            pytest.fail(reason)
        pytest.skip(reason)

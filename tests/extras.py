"""Tests that need more than ``pip install '.[test]'``."""

import os
from importlib.util import find_spec

import pytest


def is_installed(module):
    """And not merely a folder of that name, such as the build/ that pip leaves here."""
    spec = find_spec(module)
    return spec is not None and spec.origin is not None


def need_lint(*modules):
    """Skip a test without the tools of the extra lint; fail it where they have to be there, as in CI's checks."""
    _need('lint', modules)


def need_docs(*modules):
    """The same of what builds the site."""
    _need('docs', modules)


def _need(extra, modules):
    missing = [module for module in modules if not is_installed(module)]
    if missing:
        reason = f'needs the extra {extra}: {", ".join(missing)} not installed'
        if os.environ.get('MMP_REQUIRE_LINT'):
            pytest.fail(reason)
        pytest.skip(reason)

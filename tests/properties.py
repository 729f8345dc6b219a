"""What the property tests have in common."""

from hypothesis import HealthCheck, settings


def examples(share=1.0):
    """A share of the profile's examples, for tests that are repeated for each flavour, exchange and method."""
    return settings(
        max_examples=max(int(settings.default.max_examples * share), 1),
        deadline=None,  # on a machine under load
        suppress_health_check=[HealthCheck.function_scoped_fixture],  # one exchange serves all examples of a test
    )

"""What a worker of pytest-xdist tells the process that hands the tests out."""


def pytest_sessionstart(session):
    for plugin in session.config.pluginmanager.get_plugins():
        if hasattr(plugin, 'sendevent'):  # of pytest-xdist, in a worker
            plugin.sendevent = without_empty_messages(plugin.sendevent)


def without_empty_messages(send):
    """What sends all messages but those of steps that passed: of the six about a test, two are left."""

    def send_what_says_something(name, **content):
        if name in ('logstart', 'logfinish') or (name == 'testreport' and says_nothing(content['data'])):
            return
        send(name, **content)

    return send_what_says_something


def says_nothing(report):
    """Whether it is of a set-up or take-down that passed, with no output and no property."""
    is_step = report['when'] != 'call' and report['outcome'] == 'passed'
    return is_step and not report['sections'] and not report['user_properties']

"""Keeps keys, passphrases and signatures out of what ccxt prints, logs and raises about requests."""

import logging
import re

# a header, a field of JSON or of a repr, or a parameter of a URL, which a proxyUrl percent-encodes
SECRET = re.compile(
    r"""(?P<name>
            (?<![a-z]) (?:ok-access-(?:key|sign|passphrase) | x-mbx-apikey | apikey | passphrase | sign(?:ature)?)
            ['"]? \s* (?:[:=]|%3d) \s*
        )
        (?: (?P<quote>['"]) (?:\\.|[^\\])*? (?P=quote) | [^\s&'",)}\]]+ )""",
    re.IGNORECASE | re.VERBOSE,
)


def redacted(text: str) -> str:
    return SECRET.sub(r'\g<name>\g<quote>***\g<quote>', text)


def redact(error: BaseException, handled: BaseException | None) -> None:
    """Take them out of an error and of those that it came from, but for what was being handled before it.

    That one is the user's. An error that has them elsewhere than in its arguments is left out of the chain.
    """
    chain = [error]
    for each in chain:  # which grows meanwhile
        _redact_arguments(each)
        for link in ('__cause__', '__context__'):
            other = getattr(each, link)
            if other is None or other is handled or other in chain:
                continue
            _redact_arguments(other)
            said = f'{other} {other!r}'
            if redacted(said) != said:
                setattr(each, link, None)
            else:
                chain.append(other)


def _redact_arguments(error: BaseException) -> None:
    arguments = tuple(redacted(each) if type(each) is str else each for each in error.args)
    if arguments != error.args:
        error.args = arguments
    for each in error.args:
        if isinstance(each, BaseException):  # requests has its causes there, too
            _redact_arguments(each)


def _redact_record(record: logging.LogRecord) -> bool:
    record.msg, record.args = redacted(record.getMessage()), ()
    return True


# a child of ccxt's own, whose level and handlers it has
LOGGER = logging.getLogger('ccxt.base.exchange.mmp')
LOGGER.addFilter(_redact_record)

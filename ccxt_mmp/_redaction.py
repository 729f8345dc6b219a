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


def redact(error: BaseException) -> None:
    """Take them out of the texts of an error and of those that it came from."""
    errors = [error]
    for each in errors:  # which grows meanwhile
        each.args = tuple(redacted(argument) if isinstance(argument, str) else argument for argument in each.args)
        errors += [
            other
            for other in (each.__cause__, each.__context__, *each.args)
            if isinstance(other, BaseException) and other not in errors
        ]


def _redact_record(record: logging.LogRecord) -> bool:
    record.msg, record.args = redacted(record.getMessage()), ()
    return True


# a child of ccxt's own, whose level and handlers it has
LOGGER = logging.getLogger('ccxt.base.exchange.mmp')
LOGGER.addFilter(_redact_record)

"""docs/command-line-reference.md, made from the parser: ``python -m tests.command_line_page`` writes it."""

import argparse
import textwrap
from pathlib import Path

from ccxt_mmp.cli.arguments import CREDENTIALS, build

PAGE = Path(__file__).parent.parent / 'docs' / 'command-line-reference.md'

HEAD = """\
# Command line reference

Every command and option, from the parser: `python -m tests.command_line_page` writes this page, and a test compares it
with the parser. [The command line](command-line.md) explains them.
"""


def page():
    parser = build()
    [commands] = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
    helps = {each.dest: each.help for each in commands._choices_actions}
    with_targets = [each for each in commands.choices.values() if 'targets' in dests(each)]
    shared = set.intersection(*map(dests, with_targets))
    of_all = [each for each in with_targets[0]._actions if each.dest in shared]
    parts = [HEAD, *map(wrapped, parser.description.split('\n\n')), wrapped(CREDENTIALS)]
    for name, command in commands.choices.items():
        own = [each for each in command._actions if command not in with_targets or each.dest not in shared]
        parts.append(section(f'`{usage(command, own)}`', f'{capitalized(helps[name])}.', command, own))
        if notes := (command.epilog or '').replace(CREDENTIALS, '').strip():
            parts.append(wrapped(notes))
    parts.append(section('Of every command with targets', '', with_targets[0], of_all))
    return '\n'.join(parts)


def dests(parser):
    return {each.dest for each in parser._actions if each.dest != 'help'}


def wrapped(text):
    return f'{textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False)}\n'


def capitalized(text):
    return text[:1].upper() + text[1:]


def usage(command, own):
    """The command with what it needs."""
    needed = [invocation(each) for each in own if each.required]
    return ' '.join([command.prog, *needed, *(['TARGET ...'] if 'targets' in dests(command) else [])])


def section(title, text, parser, actions):
    rows = [
        f'| `{invocation(each)}` | {explanation(parser, each)} |'
        for each in actions
        if each.help and not isinstance(each, argparse._HelpAction)
    ]
    table = ['| argument | |', '|---|---|', *rows, ''] if rows else []
    return '\n'.join([f'## {title}', '', *([text, ''] if text else []), *table])


def invocation(action):
    """As it is typed."""
    value = action.metavar or (f'{{{",".join(action.choices)}}}' if action.choices else action.dest.upper())
    if not action.option_strings:
        return f'{value} ...' if action.nargs == '*' else value
    value = {None: f' {value}', '?': f' [{value}]', 0: ''}[action.nargs]
    return ', '.join(f'{each}{value}' for each in action.option_strings)


def explanation(parser, action):
    text = (action.help or '') % {'prog': parser.prog, 'default': action.default}
    others = [
        f'`{other.option_strings[0]}`'
        for group in parser._mutually_exclusive_groups
        if action in group._group_actions
        for other in group._group_actions
        if other is not action
    ]
    parts = [text, 'required' if action.required and action.option_strings else '']
    parts += [f'not with {" or ".join(others)}'] if others else []
    return '; '.join(filter(None, parts)).replace('|', '\\|')


if __name__ == '__main__':
    PAGE.write_text(page())

"""Writes docs/faults.md."""

from tests.fault_matrix.bench import Bench
from tests.fault_matrix.document import DOCUMENT, document
from tests.tagging import tag_what_rests

if __name__ == '__main__':
    tag_what_rests()
    with Bench() as bench:
        DOCUMENT.write_text(document(bench))

"""Writes docs/faults.md."""

from tests.fault_matrix.bench import Bench
from tests.fault_matrix.document import DOCUMENT, document

if __name__ == '__main__':
    with Bench() as bench:
        DOCUMENT.write_text(document(bench))

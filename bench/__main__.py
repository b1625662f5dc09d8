"""make bench [BENCH=10000000]: all benchmarks; with a number aggregation, weights and calls at that many rows."""

import logging
import sys

from bench import agents, aggregation, answers, digest, importing, pages, training, weights
from bench.measure import table

DEFAULT_ROWS = 1_000_000


def main() -> None:
    logging.disable(logging.WARNING)
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_ROWS
    results = pages.measure()
    print(table(results), flush=True)
    more = importing.measure()
    print(table(more), flush=True)
    print(table(digest.measure()), flush=True)
    print(table(answers.measure()), flush=True)
    print(table(weights.measure(rows)), flush=True)
    print(table(agents.measure(rows)), flush=True)
    print(table(training.measure()), flush=True)
    print(table(aggregation.measure(rows)), flush=True)


if __name__ == "__main__":
    main()

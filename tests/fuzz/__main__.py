"""`python -m tests.fuzz --lines 1000000 --seed 1`: exits with 1 where a rule did not hold."""

import argparse
import sys
import time

from tests.fuzz.check import LINES_A_SESSION, Report, run
from tests.fuzz.corpus import lines

SHOWN = 400  # bytes of a line


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fold mutated transcripts.")
    parser.add_argument("--lines", type=int, default=100_000, help="how many lines (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="what they are drawn from (default: %(default)s)")
    parser.add_argument("--session", type=int, help=f"only this session of the seed, {LINES_A_SESSION} lines")
    options = parser.parse_args()
    started = time.monotonic()
    if options.session is None:
        report = run(lines(), options.lines, options.seed)
    else:
        report = run(lines(), LINES_A_SESSION, options.seed, first=options.session)
    tell(report, time.monotonic() - started)
    return 1 if report.findings else 0


def tell(report: Report, seconds: float) -> None:
    out = sys.stdout
    out.write(
        f"{report.lines} lines in {seconds:.0f} s: {report.entries} headers and entries, "
        f"{report.messages} messages, {report.broken} broken ranges, {report.unknown} unknown entries\n"
    )
    for finding in report.findings:
        out.write(f"\n{report.counts[finding.what]} x {finding.what}\n")
        out.write(f"  first in session {finding.number}, a line of {len(finding.line)} bytes:\n")
        out.write(f"  {finding.line[:SHOWN]!r}\n")


if __name__ == "__main__":
    sys.exit(main())

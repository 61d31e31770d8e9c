"""Measures, and prints the table: what, the bar, the median, whether it is met."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.benchmark import artifacts, charts, compare, far, first_runs, folders, keyboard, printing, registry, servers
from tests.benchmark.results import Result, Setting, print_table

GROUPS: dict[str, Callable[[Setting], Iterator[Result]]] = {
    module.__name__.rpartition(".")[2]: module.results
    for module in (first_runs, keyboard, printing, charts, compare, artifacts, registry, far, servers, folders)
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmark", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"all, unless named: {', '.join(GROUPS)}")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, for a first look")
    options = parser.parse_args()
    unknown = [each for each in options.groups if each not in GROUPS]
    if unknown:
        parser.error(f"no such group: {', '.join(unknown)}; there are {', '.join(GROUPS)}")
    folder = Path(tempfile.mkdtemp(prefix="mldeck-benchmark-"))
    for kind in ("CONFIG", "STATE", "CACHE", "DATA"):
        os.environ[f"XDG_{kind}_HOME"] = str(folder)
    for name in [each for each in os.environ if each.startswith(("MLFLOW_", "MLDECK_", "TEXTUAL", "NO_COLOR"))]:
        del os.environ[name]
    # With it, Python compiles all of mldeck at every start; users start what is compiled already.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    setting = Setting(folder, is_quick=options.quick)
    load_before = os.getloadavg()[0]
    try:
        print_table([result for name in options.groups or GROUPS for result in GROUPS[name](setting)])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    load = f"{load_before:.1f} at the start, {os.getloadavg()[0]:.1f} at the end"
    print(f"\nLoad average {load}; {os.cpu_count()} processors.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

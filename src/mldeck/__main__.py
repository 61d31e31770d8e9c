"""The command `mldeck`, which is also `python -m mldeck`.

When a deck will probably be opened, the process that reads the first runs is started before anything else is imported here,
because it takes the longest of all.
"""

import sys
from collections.abc import Sequence


def main() -> int:
    """Run the command line and return the exit status."""
    if not opens_deck(sys.argv[1:]) or None in (sys.stdin, sys.stdout, sys.stderr):
        # Without a standard stream, its number would be taken by the pipe to the process.
        from mldeck.cli import main

        return main()
    from mldeck.ui.runs.first_read import HeadStart

    with HeadStart() as head_start:
        head_start.begin()
        from mldeck.cli import main

        return main(head_start=head_start)


def opens_deck(words: Sequence[str]) -> bool:
    """Guess whether these words open a deck at once. A wrong guess only takes time: a process more, or later."""
    is_command = bool(words) and words[0].isalpha()
    return not is_command and {"-h", "--help", "--version", "--keys", "--wait"}.isdisjoint(words)


if __name__ == "__main__":
    sys.exit(main())

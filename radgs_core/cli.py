"""The command radgs-reg: argument parsing, exit codes, and nothing else; the work is in ``commands``."""

import os
import sys
from collections.abc import Sequence

from radgs_core.commands import evaluate, info, prepare, register, replay, simulate, train
from radgs_core.commands.arguments import OneLineParser
from radgs_core.commands.messages import shown_messages
from radgs_core.errors import InputError

INPUT_ERROR = 2
INTERRUPTED = 130
UNREAD = 141
"""What a shell says of a command that SIGPIPE has ended."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: arguments without the program's name; those of the process by default.

    Returns:
        0 on success, 2 for input that cannot be used, 3 when a level that was asked for is rejected, 130 after Ctrl-C,
        141 when whoever reads the output, such as `head`, has closed it.

    Raises:
        SystemExit: 2 for arguments that cannot be parsed, 0 after --help.
    """
    # Both are read when OpenMP starts, which is when torch is imported: not before a command runs. Threads that spin
    # while they wait take the core from those that work, and one thread does as well as two on images of this size.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        try:
            return _run(argv)
        finally:
            sys.stdout.flush()  # here, where it can be caught; else Python does it at its end, and complains
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is left to be flushed
        return UNREAD


def _run(argv: Sequence[str] | None) -> int:
    arguments = _parser().parse_args(argv)
    try:
        with shown_messages():
            exit_code: int = arguments.run(arguments)
    except InputError as error:
        print(error, file=sys.stderr)
        return INPUT_ERROR
    except KeyboardInterrupt:
        print("radgs-reg was interrupted; nothing was left half-written.", file=sys.stderr)
        return INTERRUPTED
    return exit_code


def _parser() -> OneLineParser:
    parser = OneLineParser(
        prog="radgs-reg",
        description="Registers the vertebrae of a CT to two X-rays.",
        epilog="Exit codes: 0 success, 2 bad arguments or unreadable input, 3 a level that was asked for is rejected.",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (prepare, train, simulate, register, replay, evaluate, info):
        command.add_to(commands)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())

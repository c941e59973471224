"""Writes docs/parameters.md from the declarations: ``python -m radgs_reg_ros.parameter_docs docs/parameters.md``."""

import dataclasses
import json
import sys
from pathlib import Path

from radgs_reg_ros.parameter_field import constraint, type_name
from radgs_reg_ros.parameters import NODES

INTRODUCTION = """# Parameters

Written by `make parameters-doc` from `radgs_reg_ros/parameters.py`. [config/radgs_reg.yaml](../config/radgs_reg.yaml)
shows every default; a copy of it is the place for the settings of one operating room. Both nodes also have
`use_sim_time`, as every node of ROS.

When a value takes effect:

- *at once*: also while the node is active, from the next X-rays on;
- *at configure*: set it while the node is unconfigured. In any other state another value is refused with the reason, so
  that `ros2 param get` always shows what is in force: clean up, set, configure;
- *at start*: on the command line, in a file of parameters or in a launch file; read-only from then on.

A value of the wrong type, out of range or otherwise not accepted is refused with the reason; at start the process then
ends with exit code 2. A name that is given at start but that the node does not know is a warning in the log and on
`/diagnostics` (entry `parameters`), with the name that was probably meant where one is near.
"""
COLUMNS = ("parameter", "type", "default", "accepted", "takes effect", "meaning")


def page() -> str:
    """The whole document, in Markdown."""
    return "\n".join([INTRODUCTION, *(_section(node, kind) for node, kind in NODES.items())])


def main() -> None:
    """Write the document to the path that is given."""
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")


def _section(node: str, kind: type) -> str:
    rows = [COLUMNS, ("---",) * len(COLUMNS), *map(_row, dataclasses.fields(kind))]
    return "\n".join([f"## {node}\n", *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def _row(field: dataclasses.Field) -> tuple[str, ...]:
    return (
        f"`{field.name}`",
        type_name(field),
        f"`{json.dumps(field.default)}`",
        constraint(field),
        field.metadata["effect"].value,
        field.metadata["description"],
    )


if __name__ == "__main__":
    main()

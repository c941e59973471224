"""`python -m radgs_reg_ros.demo.make_weights`: train the networks that come with the demo."""

import argparse
import subprocess
import sys
from pathlib import Path

from radgs_core.case import Case
from radgs_core.io.atomic import written_atomically
from radgs_core.io.example import example_ct
from radgs_core.networks import Networks
from radgs_core.registration.pipeline import InputError
from radgs_reg_ros.demo.shipped_networks import CARD, TRAINED_LEVELS, WEIGHTS

LARGEST_BYTES = 20_000_000
"""What a clone of this repository may be asked to carry."""


def main() -> int:
    """Prepare and train as a user would; 0 when weights and card are written."""
    parser = argparse.ArgumentParser(prog="python -m radgs_reg_ros.demo.make_weights", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build/demo-weights"), help="folder for case and curves")
    parser.add_argument("--minutes", default="20", help="of training (default: 20)")
    parser.add_argument("--seed", default="0", help="of training (default: 0)")
    arguments = parser.parse_args()
    try:
        ct, labels = example_ct()
        case = arguments.out / "case"
        command = ["prepare", str(ct), str(labels), "--levels", ",".join(TRAINED_LEVELS), "--out", str(case)]
        command += ["--minutes", arguments.minutes, "--seed", arguments.seed]
        ended = subprocess.run([sys.executable, "-m", "radgs_core.cli", *command], check=False)
        if ended.returncode:
            return ended.returncode
        networks = Case.load(case).networks
        assert networks is not None, "prepare was given minutes"
        ship(networks, WEIGHTS, CARD)
    except InputError as error:
        print(f"demo-weights: {error}", file=sys.stderr)
        return 1
    print(f"{WEIGHTS}: {WEIGHTS.stat().st_size / 1e6:.1f} MB")
    return 0


def ship(networks: Networks, weights: Path, card: Path) -> None:
    """Write networks and their model card.

    Raises:
        InputError: they are too large, or cannot be written.
    """
    with written_atomically(weights) as temporary:
        networks.save(temporary)
        size = temporary.stat().st_size
        if size > LARGEST_BYTES:
            raise InputError(
                f"the networks take {size / 1e6:.1f} MB, more than the {LARGEST_BYTES / 1e6:.0f} MB of a clone;"
                " make them smaller."
            )
    with written_atomically(card) as temporary:
        temporary.write_text(networks.card.to_markdown())


if __name__ == "__main__":
    raise SystemExit(main())

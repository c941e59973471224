"""What somebody who is handed trained weights has to know about them."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class TrainingData:
    """One source of training data.

    Attributes:
        description: what it is; no patient's name and no path, which often holds one.
        sha256: of each file or folder that was used.
    """

    description: str
    sha256: tuple[str, ...]


@dataclass(frozen=True)
class ModelCard:
    """Origin, quality and bounds of trained networks.

    Attributes:
        what: what the networks do.
        data: what they were trained on.
        seeds: of the trainings.
        steps, minutes: how long they were trained, all together.
        metrics: measured on validation data, by name with the unit in it.
        code_version: see ``code_version``.
        created: date in UTC, ISO 8601.
        intended_use: what they may be used for.
        limits: where they are known, or have to be expected, to fail.
    """

    what: str
    data: tuple[TrainingData, ...]
    seeds: tuple[int, ...]
    steps: int
    minutes: float
    metrics: Mapping[str, float]
    code_version: str
    created: str
    intended_use: str
    limits: str

    def to_json(self) -> dict[str, Any]:
        """JSON values; numbers that JSON does not have become text."""
        metrics = {name: value if math.isfinite(value) else str(value) for name, value in self.metrics.items()}
        return {**dataclasses.asdict(self), "metrics": metrics}

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> "ModelCard":
        """The card that ``to_json`` made these values of.

        Raises:
            KeyError, TypeError, ValueError, AttributeError: a field is missing, unknown or of another type.
        """
        fields = dict(values)
        texts = {
            name: _text(fields.pop(name)) for name in ("what", "code_version", "created", "intended_use", "limits")
        }
        return ModelCard(
            data=tuple(
                TrainingData(_text(source["description"]), tuple(map(_text, source["sha256"])))
                for source in fields.pop("data")
            ),
            seeds=tuple(int(seed) for seed in fields.pop("seeds")),
            steps=int(fields.pop("steps")),
            minutes=float(fields.pop("minutes")),
            metrics={str(name): float(value) for name, value in fields.pop("metrics").items()},
            **texts,
            **fields,
        )

    def to_markdown(self) -> str:
        """The card as a page."""
        data = [
            f"- {source.description}" + "".join(f"\n  - sha256 `{digest}`" for digest in source.sha256)
            for source in self.data
        ]
        metrics = [f"| {name} | {value:.6g} |" for name, value in self.metrics.items()]
        seeds = ", ".join(map(str, self.seeds))
        return "\n".join(
            [
                f"# {self.what}",
                "",
                f"Made on {self.created} (UTC) by radgs-core {self.code_version}: {self.steps} steps in"
                f" {self.minutes:.1f} minutes, seeds {seeds}.",
                "",
                "## Intended use",
                "",
                self.intended_use,
                "",
                "## Limits",
                "",
                self.limits,
                "",
                "## Training data",
                "",
                *data,
                "",
                "## Metrics",
                "",
                "| | on validation data |",
                "|---|---|",
                *metrics,
                "",
            ]
        )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value

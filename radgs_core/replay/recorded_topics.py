"""Which topics of a recording are X-rays, transforms and starts."""

from collections.abc import Mapping
from dataclasses import dataclass

from radgs_core.errors import InputError
from radgs_core.geometry.camera import VIEW_NAMES
from radgs_core.io.bag_reader import Bag
from radgs_core.messages.image_transport import TRANSPORTS, ImageTransport
from radgs_core.messages.topics import (
    CLOCK,
    CLOCK_MESSAGE,
    INITIALPOSE,
    TF,
    TF_MESSAGE,
    TF_STATIC,
    info_topic,
    resolved,
)


@dataclass(frozen=True)
class RecordedTopics:
    """Full names of the topics that a registration listens to.

    Attributes:
        transport: how the images came.
        images, infos: by full name, the view.
        initialpose: full name of the topic of starts; it may be missing.
    """

    transport: ImageTransport
    images: Mapping[str, str]
    infos: Mapping[str, str]
    initialpose: str

    @property
    def names(self) -> set[str]:
        """All that a registration listens to, transforms included."""
        return {*self.images, *self.infos, self.initialpose, TF, TF_STATIC}

    @classmethod
    def of(cls, bag: Bag, namespace: str, transport: ImageTransport) -> "RecordedTopics":
        """The topics in a namespace.

        Raises:
            InputError: one that is needed is not in the recording, or is of another type.
        """
        wanted = {resolved(topic, namespace): kind for topic, kind in transport.xray_topics.items()}
        missing = [topic for topic in wanted if not bag.counts.get(topic)]
        if missing:
            named = ", ".join(f"{topic} ({count})" for topic, count in sorted(bag.counts.items())) or "nothing"
            raise InputError(
                f"{bag.path} has no messages on {', '.join(missing)}, only {named}; {_advice(bag, namespace)}."
            )
        if not bag.counts.get(TF) and not bag.counts.get(TF_STATIC):
            raise InputError(
                f"{bag.path} has no messages on {TF} or {TF_STATIC}, which say where the views are; record these too."
            )
        initialpose = resolved("initialpose", namespace)
        wanted |= {TF: TF_MESSAGE, TF_STATIC: TF_MESSAGE, initialpose: INITIALPOSE, CLOCK: CLOCK_MESSAGE}
        for topic, kind in wanted.items():
            if bag.kinds.get(topic, kind) != kind:
                raise InputError(f"{bag.path}: {topic} has the type {bag.kinds[topic]}, but only {kind} is read.")
        return cls(
            transport,
            {resolved(transport.topic(view), namespace): view for view in VIEW_NAMES},
            {resolved(info_topic(view), namespace): view for view in VIEW_NAMES},
            initialpose,
        )


def _advice(bag: Bag, namespace: str) -> str:
    """How to read a recording that has no messages on some topics."""
    for name, transport in TRANSPORTS.items():
        if all(bag.counts.get(resolved(topic, namespace)) for topic in transport.xray_topics):
            return f"give --image-transport {name}, as its images were recorded"
    return "give --namespace if they were recorded in one"

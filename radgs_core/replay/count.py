"""How many pairs a recording has, without registering any."""

from radgs_core.geometry.camera import VIEW_NAMES
from radgs_core.io.bag_reader import Bag
from radgs_core.messages.image_transport import TRANSPORTS
from radgs_core.messages.recorded_messages import RecordedMessages
from radgs_core.messages.topics import resolved
from radgs_core.replay.recorded_pairs import RecordedPairs
from radgs_core.replay.recorded_topics import RecordedTopics
from radgs_core.replay.settings import ReplaySettings


def count_pairs(bag: Bag, namespace: str) -> int:
    """Pairs of raw images, or of compressed ones where there are no raw ones, as the default settings make them.

    Whether there are transforms at their stamps is not asked.

    Raises:
        InputError: a topic is missing, or the recording is damaged.
    """
    settings = ReplaySettings([], image_transport=_image_transport(bag, namespace))
    topics, messages = RecordedTopics.of(bag, namespace, settings.transport), RecordedMessages()
    pairs = RecordedPairs(topics, settings.inbox)
    return sum(
        pairs.take(recorded.topic, messages.read(recorded.kind, recorded.data, bag.name_of(recorded))) is not None
        for recorded in bag.messages([*topics.images, *topics.infos])
    )


def _image_transport(bag: Bag, namespace: str) -> str:
    """The first way in which a recording has images of a view; the first of all where it has none."""
    recorded = (
        name
        for name, transport in TRANSPORTS.items()
        if any(bag.counts.get(resolved(transport.topic(view), namespace)) for view in VIEW_NAMES)
    )
    return next(recorded, next(iter(TRANSPORTS)))

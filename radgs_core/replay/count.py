"""How many pairs a recording has, without registering any."""

from radgs_core.io.bag_reader import Bag
from radgs_core.messages.recorded_messages import RecordedMessages
from radgs_core.replay.recorded_pairs import RecordedPairs
from radgs_core.replay.recorded_topics import RecordedTopics
from radgs_core.replay.settings import ReplaySettings


def count_pairs(bag: Bag, namespace: str) -> int:
    """Pairs as the default settings make them, whether or not there are transforms at their stamps.

    Raises:
        InputError: a topic is missing, or the recording is damaged.
    """
    topics, messages = RecordedTopics.of(bag, namespace), RecordedMessages()
    pairs = RecordedPairs(topics, ReplaySettings([]).inbox)
    return sum(
        pairs.take(recorded.topic, messages.read(recorded.kind, recorded.data, bag.name_of(recorded))) is not None
        for recorded in bag.messages([*topics.images, *topics.infos])
    )

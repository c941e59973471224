"""Which messages are lost and doubled; how they are delayed is seen in test_simulation.py."""

import pytest

from radgs_reg_ros.xray_link import LinkFaults, XrayLink


class Sent:
    """In place of a publisher."""

    def __init__(self) -> None:
        self.messages: list[int] = []

    def publish(self, message: int) -> None:
        self.messages.append(message)


def arrived(seed: int, faults: LinkFaults, count: int = 2000) -> list[int]:
    """Which of the numbered messages come out of the link."""
    link, sent = XrayLink(None, seed), Sent()
    for number in range(count):
        link.send(sent, number, faults)
    return sent.messages


def test_a_good_link_gives_every_message_once():
    assert arrived(0, LinkFaults(), 50) == list(range(50))


@pytest.mark.parametrize("share", [0.1, 0.6])
def test_shares_are_what_was_asked_for(share):
    assert len(arrived(1, LinkFaults(drop_share=share))) / 2000 == pytest.approx(1 - share, abs=0.03)
    doubled = arrived(1, LinkFaults(duplicate_share=share))
    assert len(doubled) / 2000 == pytest.approx(1 + share, abs=0.03)
    assert sorted(set(doubled)) == list(range(2000)), "none is lost"


def test_everything_or_nothing_is_exact():
    assert arrived(2, LinkFaults(drop_share=1.0), 50) == []
    assert arrived(2, LinkFaults(duplicate_share=1.0), 3) == [0, 0, 1, 1, 2, 2]


def test_the_seed_decides_which():
    faults = LinkFaults(drop_share=0.5, duplicate_share=0.5)
    assert arrived(3, faults) == arrived(3, faults)
    assert arrived(3, faults) != arrived(4, faults)


def test_losing_some_does_not_change_which_are_doubled():
    doubled = arrived(5, LinkFaults(duplicate_share=0.5))
    with_losses = arrived(5, LinkFaults(drop_share=0.5, duplicate_share=0.5))
    for number in set(with_losses):
        assert with_losses.count(number) == doubled.count(number)

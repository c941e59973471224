"""The check that a refusal is one sentence."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from radgs_core.errors import InputError


@pytest.fixture
def refused() -> Callable[..., AbstractContextManager[None]]:
    """``with refused("ct.nii.gz", "copy"):`` expects an InputError of one sentence with these words in it."""

    @contextmanager
    def check(*words: object) -> Iterator[None]:
        with pytest.raises(InputError) as caught:
            yield
        message = str(caught.value)
        assert message.endswith(".")
        assert "\n" not in message
        assert ". " not in message, f"more than one sentence: {message}"
        for word in words:
            assert str(word) in message

    return check

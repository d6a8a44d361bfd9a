"""An observation comes to each of its homes as it left."""

from hypothesis import given
from hypothesis import strategies as st

from processors.anomaly.joining import Placed
from processors.anomaly.routing import opened, partition_of, routed
from tests.processors.anomaly.making import seen

NAMES = st.text(min_size=1, max_size=200).filter(lambda text: text.isprintable())


@given(st.lists(NAMES, min_size=1, max_size=4), st.integers(0, 2**40), NAMES)
def test_what_is_read_is_what_was_sent(values: list[str], position: int, about: str) -> None:
    one = seen(
        1, object=about, groups=("a", "b"), pseudonyms=("[p]",), outcome="held", redactions=7, prompt=True
    )
    homes = [("client", value) for value in values]
    records = routed(Placed(one, 3, position), homes, 4)
    assert [opened(record.value) for record in records] == [(one, home, (3, position)) for home in homes]
    for record in records:
        assert record.partition == partition_of(record.key or b"", 4)


def test_what_nobody_wants_is_not_sent() -> None:
    assert routed(Placed(seen(1), 0, 0), [], 4) == []

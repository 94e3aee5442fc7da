"""Interactive before background, and neither starves."""

from service.lanes import BACKGROUND_SHARE, Batch, Lane, Lanes
from taggers.labeler import Chunk

INTERACTIVE, BACKGROUND = Lane.INTERACTIVE, Lane.BACKGROUND


def chunks(*costs: int) -> list[Chunk]:
    return [Chunk(["word"] * cost, slice(0, cost), cost) for cost in costs]


def owners(batch: Batch[str]) -> list[str]:
    return [entry.owner for entry in batch.entries]


def test_nothing_waits() -> None:
    lanes = Lanes[str]()
    assert not lanes.take(max_padded_tokens=10)
    assert (len(lanes), lanes.tokens(INTERACTIVE), lanes.tokens(BACKGROUND)) == (0, 0, 0)


def test_a_tweet_goes_before_the_books_that_were_there() -> None:
    lanes = Lanes[str]()
    lanes.add("book", chunks(*[10] * 100), lane=BACKGROUND)
    assert owners(lanes.take(max_padded_tokens=20)) == ["book"] * 2
    lanes.add("tweet", chunks(3), lane=INTERACTIVE)
    assert (len(lanes), lanes.tokens(INTERACTIVE), lanes.tokens(BACKGROUND)) == (99, 3, 980)
    assert lanes.turn is INTERACTIVE
    tweet = lanes.take(max_padded_tokens=20)
    assert (tweet.lane, owners(tweet), tweet.tokens) == (
        INTERACTIVE,
        ["tweet"],
        3,
    )  # alone, so that it is as quick as can be
    assert lanes.take(max_padded_tokens=20).lane is BACKGROUND


def test_the_background_has_its_share_and_no_more() -> None:
    lanes = Lanes[str]()
    lanes.add("book", chunks(*[20] * 10_000), lane=BACKGROUND)
    taken = []
    for number in range(1_000):  # one more than is taken, so that they always wait
        lanes.add(str(number), chunks(20), lane=INTERACTIVE)
        taken.append(lanes.take(max_padded_tokens=20).lane)
    assert abs(taken.count(BACKGROUND) - BACKGROUND_SHARE * 1_000) <= 2
    longest = max(map(len, "".join(lane.value[0] for lane in taken).split("b")))
    assert longest <= 2 / BACKGROUND_SHARE


def test_what_it_got_while_nobody_waited_is_no_debt() -> None:
    lanes = Lanes[str]()
    lanes.add("book", chunks(*[20] * 10_000), lane=BACKGROUND)
    for _ in range(1_000):
        lanes.take(max_padded_tokens=20)
    for number in range(100):
        lanes.add(str(number), chunks(20), lane=INTERACTIVE)
    taken = [lanes.take(max_padded_tokens=20).lane for _ in range(100)]
    assert BACKGROUND in taken[:8]


def test_one_that_was_taken_already_is_overtaken_within_the_share() -> None:
    lanes = Lanes[str]()
    lanes.add("book", chunks(*[20] * 10), lane=BACKGROUND)
    page = lanes.take(max_padded_tokens=20)
    assert not lanes.take_before(page, max_padded_tokens=20)
    for number in range(50):
        lanes.add(str(number), chunks(20), lane=INTERACTIVE)
    overtaking = 0
    while tweet := lanes.take_before(page, max_padded_tokens=20):
        assert tweet.lane is INTERACTIVE
        assert not lanes.take_before(tweet, max_padded_tokens=20)
        overtaking += 1
    assert 1 <= overtaking <= 1 / BACKGROUND_SHARE
    assert lanes.take(max_padded_tokens=20).lane is BACKGROUND


def test_those_who_have_gone_do_not_run() -> None:
    lanes = Lanes[str]()
    gone = lanes.add("gone", chunks(5, 5), lane=BACKGROUND)
    lanes.add("stays", chunks(5), lane=BACKGROUND)
    lanes.remove(gone, lane=BACKGROUND)
    assert owners(lanes.take(max_padded_tokens=20)) == ["stays"]

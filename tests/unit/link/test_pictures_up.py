"""Pictures of halls on their way up: each once, a few at a time, and back on the card where they were left out."""

from zongheng.v1.camera_pb2 import CameraPicture
from zongheng.v1.tree_pb2 import NodeCard

from node.downlink import with_pictures
from node.pictures_up import LARGEST, MOST, MOST_OF_A_CARD, Going, PicturesUp, only


def card(node: str, *taken: int, jpeg: bytes = b"jpeg") -> NodeCard:
    return NodeCard(
        node=node,
        pictures=[CameraPicture(camera=f"c{n}", taken_at_us=at, jpeg=jpeg) for n, at in enumerate(taken)],
    )


def sent(cards: list[NodeCard], going: Going) -> int:
    return sum(bool(picture.jpeg) for one in cards for picture in only(one, going).pictures)


def test_a_picture_goes_up_once_and_its_time_every_time() -> None:
    up = PicturesUp()
    first = [card("a", 1), card("b", 1, 2)]
    assert sent(first, up.choose(first, 1)) == 3
    assert not up.more
    again = [card("a", 1), card("b", 1, 5)]
    assert sent(again, up.choose(again, 2)) == 3, "of the first report it is not known yet whether it came"
    up.given(1)
    going = up.choose(again, 3)
    assert sent(again, going) == 1
    assert [picture.taken_at_us for picture in only(again[1], going).pictures] == [1, 5]
    assert again[0].pictures[0].jpeg, "the card itself keeps its picture"


def test_of_many_pictures_a_report_carries_few_the_longest_waiting_first() -> None:
    up = PicturesUp()
    halls = [card(f"{n:03d}", 1_000 - n) for n in range(MOST + 10)]
    going = up.choose(halls, 1)
    assert (sent(halls, going), up.more) == (MOST, True)
    assert ("000", "c0") not in going
    up.given(1)
    going = up.choose(halls, 2)
    assert (sent(halls, going), up.more) == (10, False)
    assert ("000", "c0") in going


def test_what_was_left_out_is_put_back_and_no_card_has_more_than_it_may() -> None:
    before = card("a", 1, 2)
    fresh = card("a", 1, 7, jpeg=b"")
    fresh.pictures[1].jpeg = b"new"
    with_pictures(fresh, before)
    assert [picture.jpeg for picture in fresh.pictures] == [b"jpeg", b"new"]
    other = card("a", 9, jpeg=b"")
    with_pictures(other, before)
    assert [picture.jpeg for picture in other.pictures] == [b""]
    late = card("a", 2**62)
    late.cameras.add(camera="c0", since_us=-(2**62))
    with_pictures(late, None)
    assert (len(late.pictures), late.cameras[0].since_us) == (0, 0)
    hostile = card("a", *range(MOST_OF_A_CARD + 3), jpeg=b"x" * (LARGEST + 1))
    with_pictures(hostile, None)
    assert [picture.jpeg for picture in hostile.pictures] == [b""] * MOST_OF_A_CARD

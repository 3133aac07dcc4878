"""Tokens, what is due, keys and copies hold on every engine."""

from node.store.linkage import PARTY, TENDER, DueRow, KeyRow, LinkRow
from node.store.store import Store


def row(origin: str, token: str = "aa", handle: str = "p-1", idx: int = 1, **more: object) -> LinkRow:
    base = LinkRow("c/payee/1", token, "person", origin, idx, "c-1", "G/2026", "", handle, 5, 100, "CZ", "S7")
    return base._replace(**more)


async def test_what_is_new_is_due_until_it_is_done(store: Store) -> None:
    async with store.write() as session:
        await session.linkage.put([row("east"), row("west"), row("west", "bb", idx=2)])
        await session.linkage.put([row("east")])
    async with store.read() as session:
        due = await session.linkage.due(10)
        assert due == [DueRow("c/payee/1", "", "aa"), DueRow("c/payee/1", "", "bb")]
        assert await session.linkage.shared("c/payee/1", ["aa", "bb"]) == ["aa"]
        assert [one.origin for one in await session.linkage.of_tokens("c/payee/1", ["aa"], 10)] == [
            "east",
            "west",
        ]
        assert await session.linkage.counts() == {"c/payee/1": (3, 2)}
    async with store.write() as session:
        await session.linkage.done(due)
        assert await session.linkage.waiting() == 0
        await session.linkage.compare_again()
        assert await session.linkage.waiting() == 2


async def test_an_erased_persons_tokens_are_gone_and_do_not_come_back(store: Store) -> None:
    async with store.write() as session:
        await session.linkage.put([row("east"), row("west")])
        await session.linkage.done(await session.linkage.due(10))
        await session.linkage.erase("east", "p-1")
        assert await session.linkage.due(10) == [DueRow("c/payee/1", "", "aa")]
        await session.linkage.put([row("east", "cc", idx=9)])
        # A handle is of its node: the other node's person is another.
        assert [one.origin for one in await session.linkage.of_tokens("c/payee/1", ["aa", "cc"], 9)] == [
            "west"
        ]


async def test_bidders_are_due_by_party_and_by_tender(store: Store) -> None:
    bids = [
        row("c", token, party=party, grp="T1", key="c/bidder/1") for token, party in (("x", "a"), ("x", "b"))
    ]
    async with store.write() as session:
        await session.linkage.put([bids[0], bids[1]._replace(idx=2)])
        assert set(await session.linkage.due(10)) == {
            DueRow("c/bidder/1", PARTY, "a"),
            DueRow("c/bidder/1", PARTY, "b"),
            DueRow("c/bidder/1", TENDER, "T1"),
        }
        assert len(await session.linkage.of_tenders("c/bidder/1", ["T1"], 10)) == 2
        assert len(await session.linkage.of_parties("c/bidder/1", ["a"], 10)) == 1
        await session.linkage.done(await session.linkage.due(10))
        await session.linkage.compare_again()
        assert await session.linkage.waiting() == 3


async def test_a_closed_key_stays_closed_whatever_comes_later(store: Store) -> None:
    key = KeyRow("c/payee/1", "c", "payee", 1, 10, 20, 0, b"sealed", 0)
    async with store.write() as session:
        await session.linkage.put_key(key)
        await session.linkage.linked([key.name], 7)
        await session.linkage.put_key(key)
        assert [(one.secret, one.position) for one in await session.linkage.keys()] == [(b"sealed", 7)]
        await session.linkage.close_key(key._replace(closed=1, secret=b""))
        await session.linkage.put_key(key)
        assert [(one.closed, one.secret) for one in await session.linkage.keys()] == [(1, b"")]
        late = key._replace(name="c/payee/2", number=2)
        await session.linkage.close_key(late._replace(closed=1, secret=b""))
        await session.linkage.put_key(late)
        assert [one.closed for one in await session.linkage.keys()] == [1, 1]


async def test_matches_and_seeds(store: Store) -> None:
    async with store.write() as session:
        await session.linkage.matched([("k", "aa", "@1"), ("k", "aa", "@2"), ("k", "bb", "@1")])
        assert await session.linkage.matches("k", ["aa", "cc"]) == {"aa": {"@1", "@2"}}
        await session.linkage.unmatched(["@1"])
        assert await session.linkage.matches("k", ["aa", "bb"]) == {"aa": {"@2"}}
        await session.linkage.put_seed(3, 30)
        await session.linkage.put_seed(3, 31)
        assert (await session.linkage.seed(3), await session.linkage.seed(4)) == (30, None)


async def test_texts_that_share_bands(store: Store) -> None:
    async with store.write() as session:
        await session.copies.put("s", "f1", "d1", ["0:a", "1:b", "2:c"])
        await session.copies.put("s", "f2", "d2", ["0:a", "1:x"])
        await session.copies.put("other", "f3", "d3", ["0:a", "1:b"])
        assert await session.copies.sharing("s", ["0:a", "1:b"], 5) == [("f1", "d1"), ("f2", "d2")]
        assert (await session.copies.knows("s", "f1"), await session.copies.knows("s", "f3")) == (True, False)

"""How nodes below work, and directives, on every engine: what is counted adds up, what is kept twice is kept once."""

from zongheng.v1.directive_pb2 import DIRECTIVE_KIND_HANDLED, DirectiveStep

from node.store.conduct import OwedAnswer, Remark, Suspect
from node.store.store import Store

A, B = "990102001", "990102002"


def suspect(alert_id: str, ripe: int = 0, size: int = 5) -> Suspect:
    return Suspect(
        A, alert_id, "c-1", "case", "approval.time.case", 3, 10, 9, 1, "A1", "I", "", size, 20, 30, ripe
    )


async def test_cards_are_owed_until_they_are_answered(store: Store) -> None:
    async with store.write() as session:
        owed = [OwedAnswer(A, f"a{n}", "A1" if n < 3 else "A2", 3, 100 + n) for n in range(4)]
        await session.conduct.owe(owed)
        await session.conduct.owe([OwedAnswer(A, "a0", "A1", 3, 105), OwedAnswer(B, "a0", "A1", 3, 1)])
        await session.conduct.answered(A, ["a3", "unknown"])
        await session.conduct.answered(A, [])
    async with store.read() as session:
        (found,) = await session.conduct.overdue(A, 106)
        assert (found.agency, found.alerts, found.due_day, found.alert_id) == ("A1", 3, 101, "a1")
        assert await session.conduct.overdue(A, 101) == []


async def test_counts_add_up_by_day(store: Store) -> None:
    for _ in range(2):
        async with store.write() as session:
            await session.conduct.count_entered(
                A, {(10, "A1"): (5, 1), (20, "A1"): (7, 0), (20, "A2"): (1, 1)}
            )
            await session.conduct.count_decided(A, {10: (3, 1), 20: (2, 0)})
    async with store.read() as session:
        assert await session.conduct.entered(A, 11) == [("A1", 14, 0), ("A2", 2, 2)]
        assert await session.conduct.entered(A, 0) == [("A1", 24, 2), ("A2", 2, 2)]
        assert await session.conduct.decided(A, 0) == (10, 2)
        assert await session.conduct.decided(B, 0) == (0, 0)


async def test_of_remarks_about_the_same_the_greatest_counts(store: Store) -> None:
    def remark(measure: int) -> Remark:
        return Remark(
            A, "clock", "clock:back:1", measure, 5, measure, figures={"seconds": measure, "why": "x"}
        )

    async with store.write() as session:
        await session.conduct.remark([remark(3), remark(9), remark(4)])
        await session.conduct.remark([])
    async with store.read() as session:
        assert await session.conduct.remarks(A) == [remark(9)]
        assert await session.conduct.remarks(B) == []


async def test_days_that_differ_are_forgotten_once_they_agree(store: Store) -> None:
    async with store.write() as session:
        await session.conduct.differ(A, [1, 2, 3], {1: 4, 2: 1}, 50)
        await session.conduct.differ(A, [2], {2: 2}, 60)
    async with store.read() as session:
        assert await session.conduct.differing(A) == (6, 2, 50)
    async with store.write() as session:
        await session.conduct.differ(A, [1, 2], {}, 70)
    async with store.read() as session:
        assert await session.conduct.differing(A) == (0, 0, 0)


async def test_a_suspect_keeps_when_it_was_found_and_ripens(store: Store) -> None:
    async with store.write() as session:
        await session.conduct.suspect([suspect("x"), suspect("y")])
        await session.conduct.suspect([suspect("x", ripe=1, size=99)])
        await session.conduct.clear(A, ["y"])
    async with store.write() as session:
        await session.drop_projections()
    async with store.read() as session:
        assert await session.conduct.suspects(A) == [suspect("x", ripe=1)]


async def test_steps_of_directives_are_kept_once_and_given_back_in_order(store: Store) -> None:
    def step(number: int, node: str = A) -> DirectiveStep:
        return DirectiveStep(
            directive=f"{A}-D000001",
            kind=DIRECTIVE_KIND_HANDLED,
            node=node,
            handler=node,
            number=number,
            by="x",
        )

    async with store.write() as session:
        await session.directives.add([(7, step(1)), (8, step(2))])
        await session.directives.add([(9, step(1)), (10, step(1, B))])
        await session.directives.add([])
    async with store.read() as session:
        kept = await session.directives.steps(f"{A}-D000001")
        assert [(idx, one.number, one.node) for idx, one in kept] == [(7, 1, A), (8, 2, A), (10, 1, B)]
        assert await session.directives.issued_by(A) == 1
        assert await session.directives.page("", 10, ended=False) == [f"{A}-D000001"]
    async with store.write() as session:
        await session.directives.end([f"{A}-D000001"])
    async with store.read() as session:
        assert await session.directives.page("", 10, ended=False) == []
        assert await session.directives.page("", 10) == [f"{A}-D000001"]

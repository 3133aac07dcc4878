"""An item's journal form and what somebody fills in say the same, both ways."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from node.models.forms import ItemForm
from node.models.messages import item_form, item_message

TEXT = st.text("甲乙AB1", max_size=4)
LIMIT = st.one_of(
    st.none(),
    st.fixed_dictionaries({"hours": st.integers(0, 9), "basis": TEXT}),
    st.fixed_dictionaries(
        {"days": st.integers(0, 99), "unit": st.sampled_from(["working", "natural"]), "basis": TEXT},
        optional={"roll_forward": st.booleans()},
    ),
)
STEP = st.fixed_dictionaries(
    {
        "code": st.just("受理"),
        "name": TEXT,
        "role": st.sampled_from(["", "handle", "approve"]),
        "limit": LIMIT,
        "required": st.booleans(),
        "authorised": st.lists(TEXT.filter(bool), max_size=2, unique=True),
        "responsible": TEXT,
        "post": TEXT,
        "risks": st.lists(
            st.fixed_dictionaries(
                {
                    "level": st.sampled_from(["high", "middle", "low"]),
                    "risk": TEXT.filter(bool),
                    "measure": TEXT,
                    "post": TEXT,
                }
            ),
            max_size=2,
        ),
    }
)
ITEM = st.fixed_dictionaries(
    {
        "code": st.just("A-1"),
        "name": TEXT,
        "agency": TEXT,
        "version": st.integers(1, 9),
        "valid_from": st.one_of(st.none(), st.just(date(2024, 3, 1))),
        "statutory": LIMIT,
        "promised": LIMIT,
        "steps": st.lists(STEP, max_size=1),
        "fee": st.one_of(
            st.none(),
            st.fixed_dictionaries({"standard": st.just("F1"), "grade": TEXT, "basis": TEXT}),
            st.fixed_dictionaries({"yuan": st.sampled_from(["0", "80.50"]), "basis": TEXT}),
        ),
        "legal_basis": TEXT,
        "tier_limits": st.lists(
            st.fixed_dictionaries({"tier": st.just("town"), "limit": LIMIT.filter(bool)}), max_size=1
        ),
        "special_procedures": st.lists(st.sampled_from(["hearing", "testing"]), max_size=2, unique=True),
    }
)


@given(ITEM)
def test_an_item_is_read_back_as_it_was_filled_in(written: dict[str, object]) -> None:
    message = item_message(ItemForm.model_validate(written), "approval")
    assert item_message(item_form(message), "approval") == message

"""Items and agencies as they are entered in the journal, out of the form that people fill in.

A day becomes its number since 1970-01-01, an amount in yuan becomes 分 exactly, an item without a fee is free of charge. A limit
in natural days whose form does not say so rolls forward from a holiday (民法典 §203); one in working days or hours ends on a
working day anyway.
"""

from datetime import date
from decimal import Decimal
from typing import Final

from zongheng.v1 import catalogue_pb2

from node.intake.mapping import Agency, Fee, Item, Limit, Step, TierLimit
from node.models.forms import ItemForm

_EPOCH: Final = date(1970, 1, 1).toordinal()
_FEN: Final = Decimal(100)

_UNITS: Final = {
    "working": catalogue_pb2.LIMIT_UNIT_WORKING_DAY,
    "natural": catalogue_pb2.LIMIT_UNIT_NATURAL_DAY,
}


def day_number(day: date | None) -> int:
    """Days since 1970-01-01; 0 for None."""
    return 0 if day is None else day.toordinal() - _EPOCH


def item_message(item: Item, domain: str) -> catalogue_pb2.Item:
    """The journal form of one version of an item of ``domain``."""
    return catalogue_pb2.Item(
        code=item.code,
        name=item.name,
        domain=domain,
        agency=item.agency,
        version=item.version,
        valid_from_day=day_number(item.valid_from),
        valid_to_day=day_number(item.valid_to),
        statutory=_limit(item.statutory),
        promised=_limit(item.promised),
        steps=[_step(step) for step in item.steps],
        fee_fen=0 if item.fee is None or item.fee.yuan is None else int(item.fee.yuan * 100),
        has_fee=item.fee is not None,
        fee_standard="" if item.fee is None else item.fee.standard,
        fee_grade="" if item.fee is None else item.fee.grade,
        fee_basis="" if item.fee is None else item.fee.basis,
        legal_basis=item.legal_basis,
        tier_limits=[
            catalogue_pb2.TierLimit(tier=one.tier, limit=_limit(one.limit)) for one in item.tier_limits
        ],
        special_procedures=item.special_procedures,
    )


def item_form(item: catalogue_pb2.Item) -> ItemForm:
    """What somebody would have filled in for this version: `item_message` of it gives the same again, but for the instant it rules from.

    Raises pydantic's ValidationError for what no form can say.
    """
    return ItemForm(
        code=item.code,
        name=item.name,
        domain=item.domain,
        agency=item.agency,
        version=item.version,
        valid_from=_day(item.valid_from_day),
        valid_to=_day(item.valid_to_day),
        statutory=_limit_form(item.statutory if item.HasField("statutory") else None),
        promised=_limit_form(item.promised if item.HasField("promised") else None),
        steps=tuple(_step_form(step) for step in item.steps),
        fee=_fee_form(item) if item.has_fee else None,
        legal_basis=item.legal_basis,
        tier_limits=tuple(
            TierLimit(tier=one.tier, limit=limit)
            for one in item.tier_limits
            if (limit := _limit_form(one.limit)) is not None
        ),
        special_procedures=tuple(item.special_procedures),
    )


def agency_message(agency: Agency, node: str) -> catalogue_pb2.Agency:
    """The journal form of an agency whose territory node is ``node``."""
    return catalogue_pb2.Agency(
        code=agency.code, name=agency.name, node=node, superior=agency.superior, line=agency.line
    )


def _step(step: Step) -> catalogue_pb2.Step:
    return catalogue_pb2.Step(
        code=step.code,
        name=step.name,
        role=step.role,
        limit=_limit(step.limit),
        after=step.after,
        required=step.required,
        authorised=step.authorised,
        responsible=step.responsible,
        post=step.post,
        risks=[
            catalogue_pb2.RiskPoint(
                level=catalogue_pb2.RiskLevel.Value(f"RISK_LEVEL_{one.level.upper()}"),
                risk=one.risk,
                measure=one.measure,
                post=one.post,
            )
            for one in step.risks
        ],
    )


def _fee_form(item: catalogue_pb2.Item) -> Fee:
    if item.fee_standard:
        return Fee(standard=item.fee_standard, grade=item.fee_grade, basis=item.fee_basis)
    return Fee(yuan=item.fee_fen / _FEN, basis=item.fee_basis)


def risk_word(level: int) -> str:
    """high, middle or low."""
    return (
        catalogue_pb2.RiskLevel.Name(catalogue_pb2.RiskLevel.ValueType(level))
        .removeprefix("RISK_LEVEL_")
        .lower()
    )


def _step_form(step: catalogue_pb2.Step) -> Step:
    return Step.model_validate(
        {
            "code": step.code,
            "name": step.name,
            "role": step.role,
            "limit": _limit_form(step.limit if step.HasField("limit") else None),
            "after": tuple(step.after),
            "required": step.required,
            "authorised": tuple(step.authorised),
            "responsible": step.responsible,
            "post": step.post,
            "risks": tuple(
                {
                    "level": risk_word(one.level),
                    "risk": one.risk,
                    "measure": one.measure,
                    "post": one.post,
                }
                for one in step.risks
            ),
        }
    )


def _limit_form(limit: catalogue_pb2.Limit | None) -> Limit | None:
    if limit is None:
        return None
    if limit.unit == catalogue_pb2.LIMIT_UNIT_WORKING_HOUR:
        return Limit(hours=limit.amount, basis=limit.legal_basis)
    natural = limit.unit == catalogue_pb2.LIMIT_UNIT_NATURAL_DAY
    return Limit(
        days=limit.amount,
        unit="natural" if natural else "working",
        roll_forward=None if limit.roll_forward == natural else limit.roll_forward,
        basis=limit.legal_basis,
    )


def _day(number: int) -> date | None:
    return date.fromordinal(_EPOCH + number) if number else None


def _limit(limit: Limit | None) -> catalogue_pb2.Limit | None:
    if limit is None:
        return None
    if limit.hours is not None:
        return catalogue_pb2.Limit(
            amount=limit.hours, unit=catalogue_pb2.LIMIT_UNIT_WORKING_HOUR, legal_basis=limit.basis
        )
    rolls = limit.unit == "natural" if limit.roll_forward is None else limit.roll_forward
    return catalogue_pb2.Limit(
        amount=limit.days or 0,
        unit=_UNITS[limit.unit or "working"],
        roll_forward=rolls,
        legal_basis=limit.basis,
    )

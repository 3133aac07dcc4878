"""The profiles that come with the program, and what a profile of one's own may not say."""

from pathlib import Path

import pytest

from tiers.profile import UnfitProfile, parse, profile_of, read
from tiers.tier import Tier

PROFILES = Path(__file__).resolve().parents[3] / "tiers" / "profiles"
TOWN = (PROFILES / "town.toml").read_text(encoding="utf-8")
DOMAINS = next(line.removeprefix("domains = ") for line in TOWN.splitlines() if line.startswith("domains = "))


@pytest.mark.parametrize("tier", list(Tier))
def test_every_tier_has_a_profile_of_its_own(tier: Tier) -> None:
    profile = profile_of(tier)
    assert profile.tier is tier
    assert profile.place.zone == "Asia/Shanghai"
    assert profile.place.calendar == "china"


def test_no_profile_file_belongs_to_no_tier() -> None:
    assert {path.stem for path in PROFILES.iterdir()} == {tier.value for tier in Tier}


@pytest.mark.parametrize("tier", list(Tier))
def test_every_domain_that_is_switched_on_is_one_the_program_has(tier: Tier, repository: Path) -> None:
    there = repository / "node" / "supervision" / "domains"
    for domain in profile_of(tier).domains:
        assert (there / domain / "events.py").is_file(), domain


@pytest.mark.parametrize("tier", list(Tier))
def test_cards_wait_for_a_person_but_not_for_ever(tier: Tier) -> None:
    for level in (profile_of(tier).policy.yellow, profile_of(tier).policy.red):
        assert level.confirm
        assert level.confirm_timeout_days > 0


def test_a_village_has_no_supervisor_and_a_county_has() -> None:
    assert "supervisor" not in {role.code for role in profile_of(Tier.VILLAGE).roles}
    assert "supervisor" in {role.code for role in profile_of(Tier.COUNTY).roles}


def test_a_head_is_signed_at_least_hourly_at_every_tier() -> None:
    assert all(profile_of(tier).journal.head_period_minutes <= 60 for tier in Tier)


def test_a_profile_of_ones_own_is_read_from_a_file(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(TOWN.replace("head_period_minutes = 30", "head_period_minutes = 5"), encoding="utf-8")
    assert read(own).journal.head_period_minutes == 5


def test_a_profile_may_set_a_rules_threshold_and_leave_the_others() -> None:
    profile = parse(TOWN + '\n[[policy.rules]]\nrule = "entered_late"\nnotice = 5\n', named="town")
    (rule,) = profile.policy.rules
    assert (rule.rule, rule.notice, rule.yellow, rule.disabled) == ("entered_late", 5, None, False)


@pytest.mark.parametrize(
    ("written", "instead", "place", "says"),
    [
        ('zone = "Asia/Shanghai"', 'zone = "Asia/Shangai"', "place.zone", "there is no zone 'Asia/Shangai'"),
        ('calendar = "china"', 'calendar = "lunar"', "place.calendar", "'china' or 'weekdays'"),
        ('tier = "town"', 'tier = "hamlet"', "tier", "'village'"),
        ("confirm = true", 'confirm = "yes"', "policy.yellow.confirm", "boolean"),
        ("reply_days = 3", "reply_dayz = 3", "policy.reply_dayz", "Extra inputs"),
        ("reply_days = 3", "", "policy.reply_days", "required"),
        ("opens = 14:00:00", "opens = 11:00:00", "place", "overlap"),
        ("opens = 08:30:00", "opens = 12:30:00", "place.hall_hours.0", "before it opens"),
        ("opens = 08:30:00", 'opens = "08:30"', "place.hall_hours.0.opens", "valid time"),
        ("least = 40", "least = 400", "cases_a_day", "more than the most"),
        ("log_days = 183", "log_days = 30", "retention.log_days", "183"),
        ('["approval", ', '["approval", "approval", ', "file", "domain approval is named twice"),
        (DOMAINS, "[]", "domains", "at least 1"),
        (
            "head_period_minutes = 30",
            "head_period_minutes = 0",
            "journal.head_period_minutes",
            "greater than",
        ),
    ],
)
def test_a_fault_is_refused_with_its_place(written: str, instead: str, place: str, says: str) -> None:
    assert written in TOWN
    with pytest.raises(UnfitProfile) as refusal:
        parse(TOWN.replace(written, instead), named="own.toml")
    assert f"own.toml: {place}: " in str(refusal.value) or f"; {place}: " in str(refusal.value)
    assert says in str(refusal.value)


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(UnfitProfile) as refusal:
        parse(
            TOWN.replace("reply_days = 3", "reply_days = 0").replace("log_days = 183", "log_days = 1"),
            named="own",
        )
    assert "policy.reply_days" in str(refusal.value)
    assert "retention.log_days" in str(refusal.value)


def test_what_is_not_toml_or_not_there_is_refused_with_the_files_name(tmp_path: Path) -> None:
    (tmp_path / "torn.toml").write_text('tier = "town', encoding="utf-8")
    (tmp_path / "gbk.toml").write_bytes('name = "镇"'.encode("gbk"))
    for name in ("torn.toml", "gbk.toml", "absent.toml"):
        with pytest.raises(UnfitProfile, match=name):
            read(tmp_path / name)

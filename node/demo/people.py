"""Made-up applicants. Their numbers have the form of an identity number, but their division begins with 99: nobody has one."""

from random import Random
from typing import Final

from zongheng.v1 import intake_pb2

from node.demo.places import Place

_FAMILY: Final = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜"
_GIVEN: Final = "安邦采春德方芳光贵海和红建江洁静军兰丽林明宁平琴清荣胜书涛婷文霞晓秀雪燕永玉远云珍志"
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK: Final = "10X98765432"


def applicant(random: Random, place: Place) -> intake_pb2.Person:
    """A person who lives at this place: a name and a number with its check digit (GB 11643)."""
    name = random.choice(_FAMILY) + "".join(random.choices(_GIVEN, k=random.choice((1, 2, 2))))
    birth = f"{random.randint(1941, 2007):04d}{random.randint(1, 12):02d}{random.randint(1, 28):02d}"
    return intake_pb2.Person(
        name=name, id_number=identity_number(place.node[:6], birth, random.randint(1, 999))
    )


def identity_number(division: str, birth: str, serial: int) -> str:
    """A number with its check digit."""
    digits = f"{division}{birth}{serial:03d}"
    total = sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=True))
    return digits + _CHECK[total % 11]

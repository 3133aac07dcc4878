"""Which alerts nobody owes a reply to at the node that raised them.

One about a node below is answered by that node's own journal, or, where a person found it, by the directive about it; one about a directive, by the directive's own steps; one about a late step, or
there would be no end of it. Pure, and one answer for everybody who counts late replies: the desk here, what each layer took, and the parent.
"""

from typing import Final

from node.directives import rules as directives
from node.matching.rules import NOTICE
from node.resupervision import rules as resupervision
from node.supervision.alert import BY_HAND_DOMAIN, LIFE_DOMAIN, MATCHING_DOMAIN

NODE_CASE: Final = "node/"
"""How the case of an alert begins that somebody raised about a node below; its code follows."""

_ABOUT_NODES: Final = frozenset({resupervision.DOMAIN, LIFE_DOMAIN})


def is_answered_elsewhere(domain: str, rule: str, case_id: str) -> bool:
    """Whether nobody at the node owes the alert a reply or a review of one.

    Cases of the domain `directive` (政令督办) are an agency's and are answered by it; only what is found about a directive itself is not.
    """
    if domain == MATCHING_DOMAIN:
        return not case_id.startswith(NOTICE)
    if domain == BY_HAND_DOMAIN:
        return case_id.startswith(NODE_CASE)
    return domain in _ABOUT_NODES or rule in directives.BY_CODE

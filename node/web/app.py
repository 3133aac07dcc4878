"""The HTTP application of one node: JSON under ``/api``, health for machines, a page for people.

Who may ask for what is looked at first (``guard``). Errors are problem details (RFC
9457) with the catalogue's code. Nothing that a page shows is loaded from outside the node.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import structlog
from fastapi import Body, Depends, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from fastapi.security import APIKeyCookie, HTTPBearer
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware

from federation.errors import ZonghengError, of, problem
from node.people.roles import Act
from node.store.errors import StoreError
from node.views import (
    alerts,
    by_hand,
    cases,
    children,
    draw,
    evaluation,
    evidence,
    explanation,
    facts,
    handover,
    inspection,
    lane,
    mending,
    policy,
    publication,
    questions,
    rollups,
    status,
    trial,
    verification,
)
from node.views.present import time_us
from node.web import files
from node.web.accountability import router as accountability_router
from node.web.alert_life import router as alert_life_router
from node.web.body import BodyLimit
from node.web.cameras import router as cameras_router
from node.web.directives import router as directives_router
from node.web.guard import COOKIE, Asking, Guard
from node.web.halls import router as halls_router
from node.web.insight import router as insight_router
from node.web.items import router as items_router
from node.web.libraries import router as libraries_router
from node.web.matching import router as matching_router
from node.web.meetings import router as meetings_router
from node.web.page import status_page
from node.web.pages import FURTHER, is_page
from node.web.pages import router as pages_router
from node.web.patrol import router as patrol_router
from node.web.people import router as people_router
from node.web.reports import router as reports_router
from node.web.restated import Restated
from node.web.scores import router as scores_router
from node.web.steering import router as steering_router
from node.web.streams import router as streams_router
from node.web.wall import router as wall_router
from node.web.webrtc import OPEN_TO_OTHERS, is_foreign
from node.web.webrtc import router as webrtc_router

if TYPE_CHECKING:
    from node.run import Node

log = structlog.get_logger()

_LARGEST = 2**63 - 1
"""What the stores can hold as a number."""

HOSTS = ["localhost", "127.0.0.1", "[::1]", "::1", "node"]
"""Names this node goes by: a page of another site that resolves to loopback is not among them."""


def application(node: "Node", hosts: Sequence[str] = HOSTS) -> FastAPI:
    """The application over an opened node, running or not; ``hosts`` are the names it answers to.

    Whoever comes through the folder's socket is wrapped in ``FolderDoor``; everybody else comes over the network.
    """
    app = FastAPI(
        title=f"Zongheng {node.settings.tier} node {node.settings.node}",
        version="1",
        docs_url=None,
        redoc_url=None,
        description="Electronic supervision of one tier. Times are ISO 8601 with offset; money is integer 分. Over the network a session "
        "(POST /api/login; requests that change something show its token in X-CSRF-Token) or a token (Authorization: Bearer) is asked for.",
        dependencies=[
            Depends(Guard(node)),
            Depends(APIKeyCookie(name=COOKIE, auto_error=False)),
            Depends(HTTPBearer(auto_error=False)),
        ],
    )
    app.add_middleware(BodyLimit)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))

    @app.middleware("http")
    async def quiet_headers(request: Request, proceed: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await proceed(request)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-store"
        # With "no-referrer" a browser names no origin when it posts our own form, and it could not be told from a foreign one.
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        response.headers.setdefault(
            "Content-Security-Policy",
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; form-action 'self'; base-uri 'none'",
        )
        if is_foreign(request.url.path):
            # Also where the answer is an error: else a page of another site is told nothing of it.
            response.headers.update(OPEN_TO_OTHERS)
        if request.url.scheme == "https":
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        return response

    def told(request: Request, error: BaseException, status: int = 0) -> JSONResponse:
        language = "zh" if "zh" in request.headers.get("accept-language", "") else "en"
        body = problem(error, language, instance=request.url.path)  # type: ignore[arg-type]
        body["status"] = status or body["status"]
        wait_ms = of(error).retry_after_ms
        headers = {"Retry-After": str(-(-wait_ms // 1_000))} if wait_ms else {}
        return JSONResponse(
            body,
            status_code=int(str(body["status"])),
            media_type="application/problem+json",
            headers=headers,
        )

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> JSONResponse:
        answer = told(request, error)
        if answer.status_code == 500:
            log.error("http.failed", path=request.url.path, exc_info=error)
        return answer

    @app.exception_handler(ZonghengError)
    async def refused(request: Request, error: ZonghengError) -> Response:
        path = request.url.path
        if error.code == "login_required" and is_page(path):
            then = "" if path == "/" else f"?then={quote(path)}"
            return RedirectResponse(f"/login{then}", status_code=303)
        return told(request, error, error.status if isinstance(error, Restated) else 0)

    @app.exception_handler(StoreError)
    async def unstored(request: Request, error: StoreError) -> JSONResponse:
        """A full disk, a database that does not answer: the connection stays, and so does the node."""
        log.warning("http.unstored", path=request.url.path, code=error.code, words=str(error))
        return told(request, error)

    @app.exception_handler(UnicodeEncodeError)
    async def unwritable(request: Request, error: UnicodeEncodeError) -> JSONResponse:
        """JSON may spell half a character (a lone surrogate); nothing can store or send it."""
        return told(request, ZonghengError("bad_request", "a text in it holds half a character"))

    @app.exception_handler(HTTPException)
    async def unanswered(request: Request, error: HTTPException) -> JSONResponse:
        """No such address, no such method, a body that is no JSON."""
        code = "not_found" if error.status_code == 404 else "bad_request"
        answer = told(request, ZonghengError(code, str(error.detail)), error.status_code)
        # Of an address that knows other methods, which (RFC 9110 §10.2.1).
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(RequestValidationError)
    async def malformed(request: Request, error: RequestValidationError) -> JSONResponse:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'][1:]))}: {e['msg']}" for e in error.errors())
        return told(request, ZonghengError("bad_request", faults))

    @app.get("/healthz", tags=["health"])
    async def health() -> dict[str, str]:
        """The process is alive."""
        return {"status": "ok"}

    @app.get("/readyz", tags=["health"])
    async def ready() -> dict[str, Any]:
        """The store answers and projections keep up; 503 otherwise."""
        return await status.readiness(node)

    @app.get("/", response_class=HTMLResponse, include_in_schema=False)
    async def page(caller: Asking) -> str:
        newest = await alerts.newest(node, caller, 30) if caller.may(Act.READ_ALERTS) else []
        figures = caller.may(Act.READ_FIGURES)
        below = await rollups.rollup(node) if figures else rollups.RollupView(nodes=[], total={})
        further = [(address, words) for address, words, act in FURTHER if caller.may(act)]
        return status_page(await status.status(node), newest, below, further)

    @app.get("/api/status", tags=["node"])
    async def get_status() -> status.Status:
        """Tier, parent, link state, journal size, what the parent has cosigned, lag, cursors, open alerts."""
        return await status.status(node)

    @app.get("/api/evaluation", tags=["supervision"])
    async def get_evaluation(as_of: str | None = None) -> evaluation.EvaluationView:
        """Every case of this node evaluated as of an instant; never writes."""
        return await evaluation.evaluation(node, as_of)

    @app.get("/api/alerts", tags=["supervision"])
    async def get_alerts(
        caller: Asking,
        level: str | None = None,
        domain: str | None = None,
        rule: str | None = None,
        case: str | None = None,
        state: str | None = None,
        agency: str | None = None,
        after: Annotated[int, Query(ge=-1, le=_LARGEST)] = -1,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 200,
    ) -> alerts.AlertPage:
        """Alerts of this node in journal order; ``next`` goes into ``after`` for the next page."""
        return await alerts.page(
            node,
            caller,
            level=level,
            domain=domain,
            rule=rule,
            case=case,
            state=state,
            agency=agency,
            after=after,
            limit=limit,
        )

    @app.post("/api/alerts/{alert_id}/decision", tags=["supervision"])
    async def decide(caller: Asking, alert_id: str, decision: alerts.Decision) -> alerts.AlertView:
        """Issue a pending alert, or cancel it with a reason."""
        return await alerts.decide(node, caller, alert_id, decision)

    @app.get("/api/alerts/{alert_id}/grounds", tags=["supervision"])
    async def grounds(caller: Asking, alert_id: str) -> explanation.ExplanationView:
        """Why an alert was raised: its rule, the law, every number that led to it. What its agency says to it is an explanation (说明)."""
        return await explanation.explain(node, caller, alert_id)

    @app.get("/api/inspection", tags=["supervision"])
    async def inspect(child: str | None = None) -> inspection.InspectionView:
        """The alerts of children judged again at their own instants: right, wrong, missing."""
        return await inspection.inspect(node, child)

    @app.get("/api/cases", tags=["cases"])
    async def list_cases(
        caller: Asking,
        state: str | None = None,
        item: str | None = None,
        agency: str | None = None,
        since: Annotated[str | None, Query(alias="from")] = None,
        until: Annotated[str | None, Query(alias="to")] = None,
        offset: Annotated[int, Query(ge=0, le=_LARGEST)] = 0,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 200,
    ) -> cases.CasePage:
        """Cases of this node by their facts."""
        zone = node.settings.zone
        return await cases.page(
            node, caller, state=state, item=item, agency=agency, from_us=time_us(since, zone), to_us=time_us(until, zone),
            offset=offset, limit=limit,
        )  # fmt: skip

    @app.post("/api/cases", tags=["cases"], status_code=201)
    async def open_case(caller: Asking, form: by_hand.OpenCase) -> by_hand.Entered:
        """Open a case by hand."""
        return await by_hand.open_by_hand(node, caller, form)

    @app.get("/api/cases/{case_id:path}/evidence", tags=["cases"])
    async def get_evidence(
        caller: Asking, case_id: str, index: Annotated[int | None, Query(ge=0, le=_LARGEST)] = None
    ) -> evidence.EvidenceView:
        """An evidence file of one entry of the case (the newest by default), checkable offline."""
        return await evidence.of_case(node, caller, case_id, index)

    @app.post("/api/cases/{case_id:path}/events", tags=["cases"], status_code=201)
    async def move_case(caller: Asking, case_id: str, form: by_hand.MoveCase) -> by_hand.Entered:
        """Move a case on by hand."""
        return await by_hand.move_by_hand(node, caller, case_id, form)

    @app.get("/api/handovers", tags=["cases"])
    async def list_handovers() -> list[handover.HandoverView]:
        """Cases handed over to this node that nobody signed for yet."""
        return await handover.waiting(node)

    @app.post("/api/cases/{case_id:path}/signature", tags=["cases"], status_code=201)
    async def sign_for(caller: Asking, case_id: str, form: handover.Signature) -> by_hand.Entered:
        """Sign for a case that was handed over to this node."""
        return await handover.sign(node, caller, case_id, form)

    # Last of its kind: an id may hold a slash.
    @app.get("/api/cases/{case_id:path}", tags=["cases"])
    async def get_case(
        caller: Asking, case_id: str, explain: bool = False, as_of: str | None = None
    ) -> cases.CaseView:
        """One case: events, clocks (day by day with ``explain``), alerts."""
        return await cases.case(node, caller, case_id, explain=explain, as_of=as_of)

    @app.post("/api/publications", tags=["catalogue"], status_code=201)
    async def publish(caller: Asking, form: publication.Publication) -> publication.Published:
        """Publish items, agencies, calendar days, a policy."""
        signed = form.model_copy(update={"by": caller.signing(form.by)})
        return await publication.publish(node, signed)

    @app.post("/api/draws", tags=["trading"], status_code=201)
    async def ask_for_draw(caller: Asking, form: draw.DrawForm) -> draw.DrawAsked:
        """Enter a request for a draw of evaluation experts."""
        return await draw.ask(node, caller, form)

    @app.post("/api/draws/{index}", tags=["trading"], status_code=201)
    async def carry_out_draw(
        caller: Asking, index: int, by: Annotated[str, Body(embed=True)] = ""
    ) -> draw.DrawView:
        """Draw what entry ``index`` asks for."""
        return await draw.carry_out(node, caller, index, by)

    @app.post("/api/trials", tags=["catalogue"])
    async def try_draft(form: trial.TrialForm) -> trial.TrialView:
        """Try rules and thresholds on history; writes nothing."""
        return await trial.trial(node, form)

    @app.get("/api/facts", tags=["catalogue"])
    async def list_facts(domain: str = "") -> list[facts.FactView]:
        """The facts that a local rule may be written about."""
        return await facts.facts(node, domain)

    @app.get("/api/rules", tags=["catalogue"])
    async def list_rules(domain: str = "") -> list[facts.RuleView]:
        """The rules that are applied here, with the thresholds in force."""
        return await facts.rules(node, domain)

    @app.get("/api/lane", tags=["link"])
    async def get_lane() -> lane.LaneView:
        """What comes from above, and what is on its way to those below."""
        return await lane.lane(node)

    @app.post("/api/lane/reopening", tags=["link"])
    async def reopen_lane(caller: Asking, form: lane.Reopening) -> lane.LaneView:
        """Take the journals above as they are from now on, after the lane stopped."""
        signed = form.model_copy(update={"by": caller.signing(form.by)})
        return await lane.reopen(node, signed)

    @app.get("/api/policy", tags=["catalogue"])
    async def get_policy() -> policy.PolicyView:
        """Which numbers apply here, whose they are, and which node below goes by which version."""
        return await policy.policy(node)

    @app.get("/api/rollup", tags=["rollups"])
    async def get_rollup() -> rollups.RollupView:
        """Totals of this node and of each descendant."""
        return await rollups.rollup(node)

    @app.get("/api/rollup/rows", tags=["rollups"])
    async def get_rows(node_id: Annotated[str, Query(alias="node")] = "") -> list[rollups.RowView]:
        """The daily rows of one node, this one by default."""
        return await rollups.rows(node, node_id or node.settings.node)

    @app.post("/api/ask", tags=["questions"])
    async def ask(form: questions.Ask) -> questions.AnswerView:
        """Ask a subtree; the answer says how complete and how proven it is."""
        return await questions.ask(node, form)

    @app.post("/api/invitations", tags=["identity"], status_code=201)
    async def invite(form: children.Invite, caller: Asking) -> children.Invited:
        """Invite a child: a single-use token."""
        return await children.invite(node, form, caller.who)

    @app.post("/api/join", tags=["identity"])
    async def join(form: children.Join) -> children.Joined:
        """Become the child of the parent that gave the token."""
        return await children.join(node, form)

    @app.get("/api/children", tags=["identity"])
    async def list_children() -> list[children.ChildView]:
        """Who is, was or wants to be a child of this node."""
        return await children.children(node)

    @app.post("/api/children/{child}/approval", tags=["identity"])
    async def approve(child: str, caller: Asking) -> children.ChildView:
        """Let in a child that waits."""
        return await children.approve(node, child, caller.who)

    @app.post("/api/children/{child}/revocation", tags=["identity"])
    async def revoke(child: str, form: children.Revoke, caller: Asking) -> children.ChildView:
        """Take a child's keys no more, and end its link now."""
        return await children.revoke(node, child, form, caller.who)

    @app.post("/api/journal/key", tags=["identity"])
    async def rotate_key() -> children.KeyChange:
        """Sign the journal with a new key from now on; a node that serves is opened again with it."""
        return await children.rotate_key(node)

    @app.get("/api/verification", tags=["journal"])
    async def verify() -> verification.Verification:
        """Recompute the roots of the own and the received journals from their leaves."""
        return await verification.verify(node)

    @app.get("/api/quarantines", tags=["journal"])
    async def list_quarantines() -> list[mending.QuarantineView]:
        """Every fork of a child's journal that was found here."""
        return await mending.quarantines(node)

    @app.get("/api/quarantines/{child}", tags=["journal"])
    async def get_quarantine(
        child: str, limit: Annotated[int, Query(ge=0, le=10_000)] = 20
    ) -> mending.QuarantineDetail:
        """One child's newest fork: both heads, the first entries that differ, what is kept apart."""
        return await mending.quarantine(node, child, limit)

    @app.post("/api/quarantines/{child}/decision", tags=["journal"])
    async def decide_quarantine(child: str, decision: mending.Decision) -> mending.QuarantineView:
        """Refuse, accept or mend; an entry."""
        return await mending.decide(node, child, decision)

    @app.post("/api/unsealing", tags=["journal"])
    async def unseal(opening: mending.Unsealing) -> mending.Unsealed:
        """Open the sealed journal of a node without a parent; an entry."""
        return await mending.unseal(node, opening)

    @app.post("/api/rebuild", tags=["journal"])
    async def rebuild() -> verification.Rebuilt:
        """Drop every projection and rebuild it from the journals."""
        return await verification.rebuild(node)

    app.include_router(people_router(node))
    files.add_routes(app, node)
    app.include_router(directives_router(node))
    app.include_router(alert_life_router(node))
    app.include_router(accountability_router(node))
    app.include_router(reports_router(node))
    app.include_router(insight_router(node))
    app.include_router(scores_router(node))
    app.include_router(steering_router(node))
    app.include_router(cameras_router(node))
    app.include_router(streams_router(node))
    app.include_router(webrtc_router(node))
    app.include_router(meetings_router(node))
    app.include_router(pages_router(node))
    app.include_router(items_router(node))
    app.include_router(matching_router(node))
    app.include_router(libraries_router(node))
    app.include_router(wall_router(node))
    app.include_router(halls_router(node))
    app.include_router(patrol_router(node))
    return app

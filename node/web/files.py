"""The part of the API that speaks of files, disclosures, what is sealed, and backups."""

from typing import TYPE_CHECKING, Annotated

from fastapi import FastAPI, Query
from fastapi.responses import FileResponse

from node.views import backup, disclosures, files, sealed
from node.web.guard import Asking

if TYPE_CHECKING:
    from node.run import Node


def add_routes(app: FastAPI, node: "Node") -> None:
    """Add them to the node's application."""

    @app.get("/api/files", tags=["files"])
    async def list_files() -> list[files.FileView]:
        """Every file that an entry names, and where it is."""
        return await files.files(node)

    @app.get("/api/files/{sha256}/content", tags=["files"])
    async def get_file(sha256: str) -> FileResponse:
        """The bytes of a file that was made public."""
        return await files.public(node, sha256)

    @app.post("/api/files/{origin}/{sha256}/again", tags=["files"], status_code=202)
    async def ask_again(origin: str, sha256: str) -> files.Asked:
        """Ask below for a file that was shed or never came."""
        return await files.again(node, origin, sha256)

    @app.post("/api/complaints", tags=["complaints"], status_code=201)
    async def complain(form: sealed.Complaint) -> sealed.Complained:
        """Seal a complaint to a node above."""
        return await sealed.complain(node, form)

    @app.post("/api/complaints/answers", tags=["complaints"])
    async def answers(form: sealed.Asked) -> list[sealed.AnswerView]:
        """The answers that came for a receipt."""
        return await sealed.answers(node, form)

    @app.get("/api/sealed", tags=["complaints"])
    async def list_sealed() -> list[sealed.SealedView]:
        """What was sealed to this node."""
        return await sealed.sealed(node)

    @app.post("/api/sealed/{origin}/{index}/reading", tags=["complaints"])
    async def read_sealed(caller: Asking, origin: str, index: int, form: sealed.Look) -> sealed.Reading:
        """What one says; that it was read is entered."""
        return await sealed.read(node, caller, origin, index, form)

    @app.post("/api/sealed/{origin}/{index}/answer", tags=["complaints"], status_code=201)
    async def answer_sealed(caller: Asking, origin: str, index: int, form: sealed.Reply) -> sealed.Replied:
        """Answer one."""
        return await sealed.answer(node, caller, origin, index, form)

    @app.post("/api/backups", tags=["node"], status_code=201)
    async def take_backup(form: backup.Wanted) -> backup.BackupView:
        """Take a backup, sealed to the recovery key."""
        return await backup.backup(node, form)

    @app.post("/api/recovery-key", tags=["node"], status_code=201)
    async def set_recovery_key(form: backup.NewKey) -> backup.KeyView:
        """Seal backups to another key from now on."""
        return await backup.new_key(node, form)

    @app.get("/api/disclosures", tags=["openness"])
    async def list_disclosures(
        origin: Annotated[str, Query(alias="node")] = "", limit: Annotated[int, Query(ge=1, le=10_000)] = 200
    ) -> list[disclosures.DisclosureView]:
        """What was made public here and below, the newest first, with proofs."""
        return await disclosures.newest(node, limit, origin)

    @app.post("/api/disclosures", tags=["openness"], status_code=201)
    async def disclose(form: disclosures.Publishing) -> disclosures.Disclosed:
        """Make something public."""
        return await disclosures.publish(node, form)

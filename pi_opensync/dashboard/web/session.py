"""The pages of one session: its messages, what changed in it, its outline, exports."""

import shlex
from collections.abc import Callable, Sequence
from datetime import tzinfo
from typing import Any

from jinja2 import Environment
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from pi_opensync.dashboard.db import finding, listing, noted, readback, turns
from pi_opensync.dashboard.db.connections import Connections
from pi_opensync.dashboard.db.contents import StoredMessage
from pi_opensync.dashboard.parts import whole_of
from pi_opensync.dashboard.show import document, visible
from pi_opensync.dashboard.show.cards import card_of
from pi_opensync.dashboard.show.pictures import image_of
from pi_opensync.dashboard.show.standalone import as_html
from pi_opensync.dashboard.web import branching, live
from pi_opensync.dashboard.web.api import Json
from pi_opensync.dashboard.web.bodies import id_of, number_of
from pi_opensync.dashboard.web.page import Page
from pi_opensync.dashboard.web.streams import Streams
from pi_opensync.dashboard.web.touched import touched_how
from pi_opensync.dashboard.web.visitor import zone_of
from pi_opensync.sqlite import Database, Row

_MESSAGES = 40
_DIGITS = 5


class SessionPages:
    """`now` gives ms; `zone` is the reader's where the browser told none."""

    def __init__(
        self,
        store: Connections,
        templates: Environment,
        streams: Streams,
        *,
        now: Callable[[], int],
        zone: tzinfo | None,
    ) -> None:
        self._store = store
        self._streams = streams
        self._now = now
        self._zone = zone
        self._templates = templates
        self._page = Page(templates, zone)

    def routes(self) -> list[Route]:
        message = "/sessions/{id}/messages/{message}/parts/{part}"
        return [
            Route("/sessions/{id}", self.session),
            Route("/sessions/{id}/more", self.more),
            Route("/sessions/{id}/changes", self.changes),
            Route("/sessions/{id}/events", self.events),
            Route("/sessions/{id}/outline", self.outline),
            Route("/sessions/{id}/export/{format}", self.export),
            Route(message, self.part),
            Route(f"{message}/image", self.image),
        ]

    def session(self, request: Request) -> Response:
        session_id = id_of(request)
        around = number_of(request, "at", None)
        with self._store.read() as con:
            session = found(con, session_id)
            branch = self._branch(con, session, request, around)
            if around is not None:
                earlier = _window(con, session_id, branch, limit=_MESSAGES // 4, before=around)
                window = _window(con, session_id, branch, limit=_MESSAGES, after=around - 1)
                messages = earlier.messages + window.messages
                before, after = earlier.before, window.after
            else:
                at_end = request.query_params.get("end") is not None
                window = _window(con, session_id, branch, limit=_MESSAGES, at_end=at_end)
                messages, before, after = window.messages, window.before, window.after
            values = {**self._head(con, session), **_turns(con, session_id, messages)}
            files = finding.files_of(con, session_id)
            first_own = readback.first_own(con, session)
        return self._page(
            request,
            "session.html",
            **values,
            branch=branch,
            first_own=first_own,
            before=before,
            after=after,
            cards=[card_of(message) for message in messages],
            around=str(around) if around is not None else None,
            cursor=str(live.LiveCursor(session["revision"])),
            files=files,
            how=touched_how,
        )

    def more(self, request: Request) -> Response:
        """Return the next messages after, or before, one."""
        session_id = id_of(request)
        after, before = number_of(request, "after", None), number_of(request, "before", None)
        with self._store.read() as con:
            session = found(con, session_id)
            branch = self._branch(con, session, request, None)
            window = _window(con, session_id, branch, limit=_MESSAGES, after=after, before=before)
            values = _turns(con, session_id, window.messages)
            first_own = readback.first_own(con, session)
        return self._page(
            request,
            "_messages.html",
            **values,
            branch=branch,
            first_own=first_own,
            session=session,
            cards=[card_of(message) for message in window.messages],
            before=before is not None and window.before,
            after=before is None and window.after,
            around=None,
        )

    def changes(self, request: Request) -> Response:
        """Return what changed after a cursor, and the sums of the turns that it belongs to.

        `last` is the last message that is drawn: `hasLeft` says that the session went on from before it, so
        that another branch is the active one now.
        """
        cursor = live.LiveCursor.parse(request.query_params.get("after", ""))
        with self._store.read() as con:
            session = found(con, id_of(request))
            growth = live.growth(con, session, cursor)
            if growth is None:
                return Response(status_code=204)
            last_drawn = number_of(request, "last", None)
            is_chosen = bool(request.query_params.get("branch"))
            branch = self._branch(con, session, request, last_drawn if is_chosen else None)
            has_left = branch is not None and last_drawn is not None and last_drawn not in branch.ids
            if branch is not None:
                on_it = set() if has_left else set(branch.ids)
                growth.messages[:] = [message for message in growth.messages if message.row["id"] in on_it]
            values = _turns(con, session["id"], growth.messages)
            of_last = _turn_of_last(con, session["id"], growth.messages)
            head = self._head(con, session)

        def draw(message: StoredMessage) -> str:
            card = card_of(message)
            return self._page.text(
                request, "_message.html", card=card, session=session, around=None, new_day=True, **values
            )

        answer = live.as_json(growth, draw, self._page.text(request, "_head.html", **head))
        sums = {
            str(prompt): self._page.text(request, "_turn.html", message={"id": prompt}, turns=of_last)
            for prompt in of_last
        }
        return Json({**answer, "turns": sums, "hasLeft": has_left})

    async def events(self, request: Request) -> Response:
        session_id = id_of(request)

        def revision() -> int | None:
            with self._store.read() as con:
                session = readback.session(con, session_id)
                return None if session is None else int(session["revision"])

        return self._streams.answer(request, revision)

    def outline(self, request: Request) -> Response:
        """Return all prompts as a page; `list=1` asks for the list alone."""
        with self._store.read() as con:
            session = found(con, id_of(request))
            prompts = turns.outline(con, session["id"])
        name = "_outline.html" if request.query_params.get("list") else "outline.html"
        return self._page(request, name, session=session, prompts=prompts)

    def export(self, request: Request) -> Response:
        kind = request.path_params["format"]
        with self._store.read() as con:
            session = found(con, id_of(request))
        if kind == "json":
            pieces = document.as_json(self._store.read, session)
        elif kind == "markdown":
            pieces = document.as_markdown(self._store.read, session, zone_of(request, self._zone))
        elif kind == "html":
            tools = request.query_params.get("tools") != "no"
            zone = zone_of(request, self._zone)
            pieces = as_html(self._store.read, self._templates, session, zone, tools=tools)
        else:
            raise HTTPException(404)
        headers = {"content-disposition": f'attachment; filename="{document.filename(session, kind)}"'}
        return StreamingResponse(pieces, media_type=document.FORMATS.get(kind, "text/html"), headers=headers)

    def part(self, request: Request) -> Response:
        """All of a part, as plain text: what was too long for the page."""
        place = request.path_params["part"]
        message = self._message(request)
        text = message.text or "" if place == "text" else whole_of(message.parts[_place_in(message, place)])
        return PlainTextResponse(visible.visible(text))

    def image(self, request: Request) -> Response:
        """Return the image that a part holds, as what its bytes say that it is."""
        message = self._message(request)
        image = image_of(message.parts[_place_in(message, request.path_params["part"])].content)
        if image is None:
            raise HTTPException(404)
        return Response(image.data, media_type=image.media_type)

    def _branch(
        self, con: Database, session: Row, request: Request, around: int | None
    ) -> branching.Shown | None:
        return branching.shown(self._store, con, session, number_of(request, "branch", 0) or 0, around)

    def _message(self, request: Request) -> StoredMessage:
        with self._store.read() as con:
            message = readback.message(con, id_of(request), id_of(request, "message"))
        if message is None:
            raise HTTPException(404)
        return message

    def _head(self, con: Database, session: Row) -> dict[str, Any]:
        return {
            "session": session,
            "family": listing.family(con, session["root_id"]),
            "noted": noted.of(con, session["id"]),
            "file": _file(session),
            "resume": _resume(session),
        }


def found(con: Database, session_id: int) -> Row:
    """Return a session. Raises a 404 if there is none."""
    session = readback.session(con, session_id)
    if session is None:
        raise HTTPException(404)
    return session


def _window(
    con: Database, session_id: int, branch: branching.Shown | None, **options: Any
) -> readback.Window:
    if branch is None:
        return readback.window(con, session_id, **options)
    return branching.window(con, branch.ids, **options)


def _turns(con: Database, session_id: int, messages: Sequence[StoredMessage]) -> dict[str, Any]:
    prompts = [message.row["id"] for message in messages if message.row["role"] == "user"]
    if not prompts:
        return {"turns": {}}
    return {"turns": turns.turns_among(con, session_id, min(prompts), max(prompts))}


def _turn_of_last(con: Database, session_id: int, messages: Sequence[StoredMessage]) -> dict[int, turns.Turn]:
    """Return the turn that the last of the messages belongs to, by its prompt's id."""
    last = max((message.row["id"] for message in messages), default=None)
    prompt = None if last is None else turns.turn_of(con, session_id, last)
    return {} if prompt is None else turns.turns_among(con, session_id, prompt, prompt)


def _place_in(message: StoredMessage, place: str) -> int:
    if not (
        place.isascii() and place.isdigit() and len(place) <= _DIGITS and int(place) < len(message.parts)
    ):
        raise HTTPException(404)
    return int(place)


def _file(session: Row) -> str | None:
    return session["file"] if "file" in session.keys() else None  # noqa: SIM118 - a row has no `in` for names


def _resume(session: Row) -> str | None:
    """Return the command that goes on with a session of pi; None for one of another program."""
    if session["source"] != "pi":
        return None
    name = shlex.quote(_file(session) or session["external_id"])
    folder = session["project_path"]
    return f"cd {shlex.quote(folder)} && pi --session {name}" if folder else f"pi --session {name}"

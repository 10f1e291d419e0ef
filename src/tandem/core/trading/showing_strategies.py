"""Strategies in a trader's words: what is saved and assigned, wanted and held, decided."""

from collections.abc import Iterator
from itertools import islice

from tandem.core.trading.state import DeskState
from tandem.core.trading.target_state import Assigned, Member, Net
from tandem.core.trading.turn import Rules
from tandem.domain.control import AskDecisions, AskDropped, AskStrategies, AskTexts
from tandem.domain.ids import Lots
from tandem.domain.strategies import DroppedTarget, TextHash
from tandem.domain.strategy_views import (
    PAGE_MAX,
    TEXTS_BYTES_MAX,
    AssignmentView,
    DecisionsView,
    DecisionView,
    DroppedView,
    HeldView,
    SavedView,
    StrategiesView,
    TextsView,
)


def answer(
    state: DeskState, rules: Rules, asked: AskStrategies | AskTexts | AskDecisions | AskDropped
) -> StrategiesView | TextsView | DecisionsView | DroppedView:
    """Answer a question about strategies."""
    match asked:
        case AskStrategies():
            return _strategies(state, rules, asked)
        case AskTexts():
            return _texts(state, asked)
        case AskDropped():
            return _dropped(state, asked)
        case _:
            return _decisions(state, asked)


def _strategies(state: DeskState, rules: Rules, asked: AskStrategies) -> StrategiesView:
    roster = state.strategies
    if asked.known == roster.version:
        return StrategiesView(version=roster.version, is_known=True)
    begin = max(0, asked.begin)
    names: dict[TextHash, list[str]] = {}
    for name, key in roster.names.items():
        names.setdefault(key, []).append(name)
    return StrategiesView(
        version=roster.version,
        begin=begin,
        texts_total=len(roster.texts),
        assignments_total=len(roster.assigned),
        texts=tuple(
            SavedView(
                name=one.name,
                language=one.language,
                text_hash=key,
                is_newest=roster.names.get(one.name) == key,
                names=tuple(sorted(names.get(key, ()))),
            )
            for key, one in islice(roster.texts.items(), begin, begin + PAGE_MAX)
        ),
        assignments=tuple(
            _assignment(state, rules, one)
            for one in islice(roster.assigned.values(), begin, begin + PAGE_MAX)
        ),
    )


def _assignment(state: DeskState, rules: Rules, one: Assigned) -> AssignmentView:
    return AssignmentView(
        assignment=one.assignment,
        number=one.number,
        position_ppm=one.position_ppm,
        begin_ns=one.begin_ns,
        end_ns=one.end_ns,
        stop_price=one.stop_price,
        target_price=one.target_price,
        suspended=one.suspended,
        leaving=one.leaving,
        exits=one.exits,
        dropped=one.dropped,
        held=tuple(_held(state, rules, one)),
    )


def _held(state: DeskState, rules: Rules, one: Assigned) -> Iterator[HeldView]:
    for net_id in one.nets:
        net = state.strategies.nets[net_id]
        member = net.members[one.assignment.assignment_id]
        instrument = rules.instruments[net.instrument_id]
        yield HeldView(
            slot_id=net.slot_id,
            account_id=state.seats[net.slot_id].account_id,
            wanted_lots=member.wanted,
            held_lots=member.held,
            wanted=instrument.quantity_text(Lots(member.wanted)),
            held=instrument.quantity_text(Lots(member.held)),
            note=_note(net, member),
        )


def _note(net: Net, member: Member) -> str:
    if member.is_canceled:
        return "canceled by hand"
    return net.note if member.lacking else ""


def _texts(state: DeskState, asked: AskTexts) -> TextsView:
    """Return the texts of these hashes, as many of the first as fit into one answer."""
    found, size = [], 0
    for key in asked.text_hashes:
        text = state.strategies.texts.get(key)
        if text is None:
            continue
        size += len(text.text.encode())
        if size > TEXTS_BYTES_MAX:
            break
        found.append(text)
    return TextsView(texts=tuple(found))


def _decisions(state: DeskState, asked: AskDecisions) -> DecisionsView:
    """Return the latest lines of the log, of one assignment or of all."""
    lines = (
        one
        for one in reversed(state.strategies.notes)
        if asked.assignment_id is None or one.assignment_id == asked.assignment_id
    )
    return DecisionsView(
        decisions=tuple(
            DecisionView(
                market_ns=one.market_ns,
                assignment_id=one.assignment_id,
                begin_ns=one.begin_ns,
                what=one.what,
                text=one.text,
            )
            for one in islice(lines, max(0, asked.limit))
        )
    )


def _dropped(state: DeskState, asked: AskDropped) -> DroppedView:
    """Return the drops after those that are known, the older ones first."""
    roster = state.strategies
    if asked.known == roster.drops:
        return DroppedView(drops=roster.drops)
    news = [one for one in roster.assigned.values() if one.dropped_at > asked.known]
    news.sort(key=lambda one: one.dropped_at)
    is_all = len(news) <= PAGE_MAX
    return DroppedView(
        drops=roster.drops if is_all else news[PAGE_MAX - 1].dropped_at,
        dropped=tuple(
            DroppedTarget(
                assignment_id=one.assignment.assignment_id,
                number=one.number,
                end_ns=one.position_end_ns,
                why=one.dropped_why,
                is_expired=one.is_expired,
            )
            for one in news[:PAGE_MAX]
        ),
    )

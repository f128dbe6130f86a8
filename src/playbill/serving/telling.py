"""From a slate to a reply that was recorded: the last thing every tier but ``static`` does."""

import numpy as np

from playbill.contracts import FeedReply, Settings, Tier, settings_digest
from playbill.features import ServedTrace, features_digest
from playbill.ranking import Ranked
from playbill.retrieval import ItemView
from playbill.serving.asking import Asked, Asker
from playbill.serving.fallbacks import Fallback, LastLists
from playbill.serving.impressions import Recorder
from playbill.serving.texts import Texts
from playbill.serving.wording import Worded, record_of, reply_of, word


class Teller:
    """Put slates into words, and what was shown into the log.

    Args:
        settings: of the home.
        asker: writes cursors and names regions.
        texts: words of videos.
        recorder: where impressions go.
        last_lists: remembers what readers were shown.
        random: what sampling of evidence draws from.
    """

    def __init__(
        self,
        settings: Settings,
        asker: Asker,
        texts: Texts,
        recorder: Recorder,
        last_lists: LastLists,
        random: np.random.Generator,
    ) -> None:
        self._digest = settings_digest(settings)
        self._trace_share = settings.serving.trace_share
        self._asker = asker
        self._texts = texts
        self._recorder = recorder
        self._last_lists = last_lists
        self._random = random

    def failing(self) -> bool:
        """Return whether the log refused the last record."""
        return self._recorder.failing()

    def flush(self) -> None:
        """Send the records that wait to the log."""
        self._recorder.flush()

    def ranked(
        self,
        asked: Asked,
        view: ItemView,
        ranked: Ranked,
        bundle: str | None,
        reasons: list[str],
        *,
        recorded: bool,
    ) -> FeedReply:
        """Answer with what the pipeline made."""
        hydrated = ranked.hydrated
        slate = Fallback(ranked.rows, ranked.sources, ranked.scores, ranked.propensity)
        worded = word(self._texts, view, slate, ranked.features)
        reply = self._reply(
            asked, worded, view, ranked.tier, reasons, at_ms=hydrated.at_ms, bundle=bundle
        )
        if not recorded:
            return reply
        if asked.message.personalised:
            self._last_lists.remember(asked.reader, worded.slate.rows, worded.slate.sources)
        evidence = self._evidence(asked, worded) if hydrated.settled else None
        self._record(asked, worded, reply, hydrated.item_epoch, evidence, settled=hydrated.settled)
        return reply

    def listed(
        self,
        asked: Asked,
        view: ItemView,
        slate: Fallback,
        tier: Tier,
        reasons: list[str],
        *,
        recorded: bool,
    ) -> FeedReply:
        """Answer with a slate that nobody ranked."""
        worded = word(self._texts, view, slate, None)
        at_ms = max(asked.request.at_ms, view.at_ms, int(asked.row.row["last_at_ms"][0]))
        reply = self._reply(asked, worded, view, tier, reasons, at_ms=at_ms, bundle=None)
        if recorded:
            settled = asked.row.epoch <= view.epoch
            self._record(asked, worded, reply, view.epoch, None, settled=settled)
        return reply

    def _reply(
        self,
        asked: Asked,
        worded: Worded,
        view: ItemView,
        tier: Tier,
        reasons: list[str],
        *,
        at_ms: int,
        bundle: str | None,
    ) -> FeedReply:
        return reply_of(
            asked,
            worded,
            self._texts,
            tier=tier,
            reasons=reasons,
            at_ms=at_ms,
            bundle=bundle,
            region=self._asker.region(asked.request),
            cursor=self._asker.next_cursor(asked, worded.slate.rows, view.count),
        )

    def _evidence(self, asked: Asked, worded: Worded) -> ServedTrace | None:
        """Return what the model saw, for a share of all feeds."""
        if self._random.random() >= self._trace_share:
            return None
        assert worded.features is not None
        return ServedTrace(
            asked.key, features_digest(), worded.keys.tobytes(), worded.features.tobytes()
        )

    def _record(
        self,
        asked: Asked,
        worded: Worded,
        reply: FeedReply,
        item_epoch: int,
        evidence: ServedTrace | None,
        *,
        settled: bool,
    ) -> None:
        head, shown = record_of(
            asked,
            worded,
            reply,
            settings=self._digest,
            item_epoch=item_epoch,
            settled=settled,
        )
        self._recorder.record(head, shown, evidence)

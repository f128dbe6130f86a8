"""Every reason that a feed reply may carry, in words for people."""

REASONS: dict[str, str] = {
    "new_user": "Nothing is known of this viewer yet.",
    "not_personalised": "The caller asked for a feed without personalisation.",
    "no_bundle": "No model was ever promoted; the region's list is mixed with new videos.",
    "bundle_refused": "The champion is damaged or does not fit, and no other was loaded.",
    "catalogue_empty": "No video was posted yet.",
    "nothing_visible": "Every video is hidden, barred or excluded here.",
    "item_state_unavailable": "The shared item state cannot be mapped.",
    "item_state_unsettled": "Item state moved, or stopped half-way, while it was read.",
    "user_store_unavailable": "The user store is gone; it is being rebuilt from the log.",
    "user_state_behind": "Viewers' rows are behind item state: a rebuild goes on.",
    "state_stale": "The updater has not moved state for a while.",
    "clock_behind_log": "This machine's clock is behind the log; the log's instant counts.",
    "log_unavailable": "The last impression record could not be written.",
    "user_tower_failed": "The viewer's vector could not be computed; other sources filled in.",
    "light_scorer_failed": "The light scorer failed.",
    "heavy_scorer_failed": "The heavy scorer failed on this request.",
    "heavy_scorer_resting": "The heavy scorer failed repeatedly and is left alone for a second.",
    "heavy_scorer_slow": "The heavy scorer is too slow for the time that was left.",
    "heavy_scorer_partial": "The heavy scorer ranked fewer candidates than usual, to be in time.",
    "features_missing": "No features could be read.",
    "no_candidates": "No source found a video that may be shown.",
    "catalogue_exhausted": "The viewer has seen what there is; earlier videos return.",
    "source_skipped": "A candidate source was left out for lack of time; its name follows.",
    "internal_error": "Something broke in the server; it was counted and logged.",
}
"""By code; ``source_skipped`` is followed by a colon and the source."""

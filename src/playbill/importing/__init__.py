"""Foreign data sets as what clients would have sent."""

from playbill.importing.kuairand import KuaiRand
from playbill.importing.kuairand_history import HISTORY_FILES
from playbill.importing.load import OnProgress, Progress, load
from playbill.importing.mapped import Mapped
from playbill.importing.movielens import MovieLens
from playbill.importing.report import Example, ImportReport, KindReport, Refusal

__all__ = [
    "HISTORY_FILES",
    "Example",
    "ImportReport",
    "KindReport",
    "KuaiRand",
    "Mapped",
    "MovieLens",
    "OnProgress",
    "Progress",
    "Refusal",
    "load",
]

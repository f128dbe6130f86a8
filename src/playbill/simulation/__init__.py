"""A closed-loop world: viewers who use a running server and respond to what it shows."""

from playbill.simulation.client import FeedService, PlaybillClient
from playbill.simulation.closed_loop import ClosedLoop, LoopSettings
from playbill.simulation.policies import Policy, PolicyValue
from playbill.simulation.publishing import Arrivals, publish_world
from playbill.simulation.regions import REGION_NAMES
from playbill.simulation.report import Report
from playbill.simulation.responses import Chances, Outcomes, ResponseModel
from playbill.simulation.settings import WorldSettings
from playbill.simulation.transport import RetryPolicy
from playbill.simulation.viewers import viewer_id
from playbill.simulation.world import World, make_world

__all__ = [
    "REGION_NAMES",
    "Arrivals",
    "Chances",
    "ClosedLoop",
    "FeedService",
    "LoopSettings",
    "Outcomes",
    "PlaybillClient",
    "Policy",
    "PolicyValue",
    "Report",
    "ResponseModel",
    "RetryPolicy",
    "World",
    "WorldSettings",
    "make_world",
    "publish_world",
    "viewer_id",
]

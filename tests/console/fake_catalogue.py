"""A hundred and twenty videos with titles that people recognise as such."""

from playbill.contracts import VideoView
from playbill.core import MINUTE_MS

NOW_MS = 1_760_000_000_000
PARTS = 3
TITLES_PER_TOPIC = 5
AUTHORS = ("Ada Lindqvist", "workshop.berlin", "Night Sky Club", "Mr. Okafor", "Lena & Tom")
TITLES: dict[str, tuple[str, ...]] = {
    "cooking": (
        "Bread without kneading, start to finish",
        "Seven sauces that rescue a weeknight",
        "The knife skills nobody taught you",
        "Dal, the way my grandmother makes it",
        "What salt really does",
    ),
    "astronomy": (
        "How far away is that star?",
        "A night at the observatory",
        "The moons we know least about",
        "Grinding a telescope mirror by hand",
        "Why the sky is dark",
    ),
    "woodworking": (
        "A dovetail in eleven minutes",
        "Sharpening, once and for all",
        "The bench that built the workshop",
        "Bending oak with steam",
        "Three joints that need no glue",
    ),
    "music": (
        "One chord, forty songs",
        "Inside a church organ",
        "Recording drums in a small room",
        "Why this bassline works",
        "Learning the cello at fifty",
    ),
    "cycling": (
        "Across the Alps on a 40-year-old bike",
        "Truing a wheel without a stand",
        "The quietest road in Europe",
        "Winter commuting that is actually pleasant",
        "Reading a mountain before you climb it",
    ),
    "history": (
        "The map that was wrong for 200 years",
        "How Rome fed a million people",
        "Letters nobody delivered",
        "The day the calendar skipped",
        "A harbour under the car park",
    ),
    "gardening": (
        "Tomatoes on a north-facing balcony",
        "Soil, seen through a microscope",
        "Pruning roses without fear",
        "A hedge in ten years",
        "<script>document.title='owned'</script> & \"quotes\"",
    ),
    "chess": (
        "The endgame everybody loses",
        "Four traps in the Italian",
        "Blindfold, against twelve",
        "Why grandmasters offer a draw",
        "A queen sacrifice, explained slowly",
    ),
}


def catalogue() -> dict[str, VideoView]:
    """Return the videos, by id, in a fixed order."""
    videos = {}
    for place in range(PARTS * TITLES_PER_TOPIC):
        part, place_in_part = divmod(place, TITLES_PER_TOPIC)
        for topic, titles in TITLES.items():
            number = len(videos)
            video_id = f"v{number:03}"
            others = list(TITLES)
            second = others[(number * 3 + 1) % len(others)]
            videos[video_id] = VideoView(
                video_id=video_id,
                author_id=AUTHORS[number % len(AUTHORS)],
                title=titles[place_in_part] + (f", part {part + 1}" if part else ""),
                topics=[topic] if second == topic or number % 3 else [topic, second],
                language="en",
                duration_ms=(95 + number * 37) * 1000,
                regions=[],
                age_rating=0,
                created_at_ms=NOW_MS - (number**2) * 3 * MINUTE_MS - 40_000,
                visible=True,
            )
    return videos

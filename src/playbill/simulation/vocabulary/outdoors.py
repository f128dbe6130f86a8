"""Words of the topics about travel and the outdoors."""

from playbill.simulation.vocabulary.topic import Topic, phrases

OUTDOORS = (
    Topic(
        name="travel",
        median_duration_s=330,
        subjects=phrases("""Lisbon; Kyoto; Oaxaca; Istanbul; Hanoi; Marrakesh; Reykjavik; Buenos
            Aires; Tbilisi; Cape Town; Jaipur; Naples; Seoul; Cartagena; Ljubljana; Zanzibar"""),
        details=phrases("""by night train; with one backpack; on thirty dollars a day; in the off
            season; with three children; without a plan; in 48 hours; alone; by ferry; with a local;
            in the rain; on foot"""),
        templates=phrases("""Travel diary: {a} {b}; {a} {b}; {n} days in {a}, {b}; What nobody tells
            you about travelling to {a}; {a} {b}: a travel guide; I moved to {a} for {n} weeks;
            Hidden corners of {a} {b}; A trip to {a} {b}"""),
        handles=("backpack", "passport", "nighttrain", "wander"),
    ),
    Topic(
        name="hiking",
        median_duration_s=350,
        subjects=phrases("""the Pacific Crest Trail; a Dolomites hut trek; a coastal hike; a winter
            summit; the Tour du Mont Blanc; a desert canyon hike; ridge walks; a volcano hike; an
            overnight hike; the West Highland Way; a waterfall trail; a forest hike; a glacier hike;
            the Camino; a sunrise hike; a hike with my dog"""),
        details=phrases("""with a nine-kilo pack; in three days; in pouring rain; for beginners;
            solo; without a tent; at 60; with bad knees; with my father; in late autumn; in old
            boots; above the clouds"""),
        templates=phrases("""Hiking diary: {a} {b}; {a} {b}: gear, route, mistakes; On the trail:
            {a} {b}; {n} lessons from hiking {a}; {a} {b} | hiking film; What I packed for {a} {b};
            We finished {a} {b}; {n} kilometres on foot: {a}"""),
        handles=("summit", "trailhead", "boots", "switchback"),
    ),
    Topic(
        name="gardening",
        median_duration_s=230,
        subjects=phrases("""tomatoes; compost; raised beds; roses; a balcony garden; chillies;
            garlic; pruning; a wildflower meadow; potatoes in bags; herbs; a greenhouse;
            strawberries; dahlias; seed saving; a fig tree"""),
        details=phrases("""in heavy clay; in pots; without digging; in a shady yard; against slugs;
            in a dry summer; from kitchen scraps; for lazy gardeners; in February; with a tiny
            budget; on the fourth floor; in a school garden"""),
        templates=phrases("""Gardening: {a} {b}; Growing {a} {b}; {n} garden mistakes with {a}; {a}
            {b}, week by week; A gardener's year: {a} {b}; What I planted with {a} {b}; The garden
            after {n} weeks: {a}; My allotment: {a} {b}"""),
        handles=("allotment", "compost", "greenhouse", "seedling"),
    ),
    Topic(
        name="fishing",
        median_duration_s=290,
        subjects=phrases("""carp; pike on lures; fly fishing; sea bass; trout streams; ice fishing;
            night catfish; perch; surf casting; kayak fishing; hand-tied flies; urban fishing; squid
            jigging; salmon runs; tench; mackerel from the pier"""),
        details=phrases("""at dawn; with my grandfather's rod; in a city canal; in a storm; on light
            tackle; in a hidden lake; with bread; after five blank days; with my son; from the
            rocks; in cold water; catch and release"""),
        templates=phrases("""Fishing: {a} {b}; {a} {b} | fishing trip; {n} hours of fishing: {a}
            {b}; The rig I use for {a} {b}; Angler's diary: {a} {b}; {n} casts, one fish: {a}; How
            to fish {b}: {a}; The one that got away: {a} {b}"""),
        handles=("angler", "tackle", "riverbank", "lure"),
    ),
    Topic(
        name="birdwatching",
        median_duration_s=140,
        subjects=phrases("""kingfishers; barn owls; hummingbirds; peregrine falcons; storks;
            warblers; puffins; woodpeckers; cranes; a robin's nest; eagles; swifts; starling
            murmurations; bee-eaters; herons; nightingales"""),
        details=phrases("""from my window; in a city park; at the feeder; in the fog; with cheap
            binoculars; by ear; during migration; at the salt marsh; in slow motion; from a hide;
            with a trail camera; on a January morning"""),
        templates=phrases("""Birdwatching: {a} {b}; {a} {b} | birding diary; How to spot {a} {b};
            {n} birds in one walk: {a}; I waited {n} hours for {a}; A birder's morning: {a} {b};
            Filming {a} {b}; What {a} do {b}"""),
        handles=("birder", "feather", "binoculars", "nest"),
    ),
)

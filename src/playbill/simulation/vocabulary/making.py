"""Words of the topics about making and mending things."""

from playbill.simulation.vocabulary.topic import Topic, phrases

MAKING = (
    Topic(
        name="woodworking",
        median_duration_s=340,
        subjects=phrases("""a walnut table; dovetail joints; a workbench; hand planes; a rocking
            chair; a cutting board; bookshelves; mortise and tenon joints; a Japanese saw; spoon
            carving; a tool chest; a picture frame; a garden bench; wood finishes; a jewellery box;
            a bowl on the lathe"""),
        details=phrases("""from pallet wood; with hand tools only; from one plank; in a tiny shop;
            without screws; in a weekend; from a fallen oak; with a router; for my niece; on an
            apartment balcony; with scraps; the traditional way"""),
        templates=phrases("""Woodworking: {a} {b}; Building {a} {b}; {a} {b}, start to finish; {n}
            woodworking tips for {a}; The joiner's guide to {a} {b}; I spent {n} days on {a} |
            woodworking; {a} {b}: wood, glue, patience; What woodworkers get wrong about {a}"""),
        handles=("workbench", "sawdust", "joiner", "grain"),
    ),
    Topic(
        name="home-repair",
        median_duration_s=220,
        subjects=phrases("""a leaking tap; a squeaky floor; a cracked tile; a running toilet;
            drywall holes; a stuck window; a dripping shower; peeling paint; a broken hinge; a
            draughty door; a clogged sink; a loose handrail; old wallpaper; a noisy radiator; damp
            walls; a dead light switch"""),
        details=phrases("""without a plumber; for under twenty dollars; in a rental flat; with three
            tools; in a hundred-year-old house; before guests arrive; for good; without making it
            worse; on a Sunday; in the cheapest way; with no experience; before winter"""),
        templates=phrases("""How to fix {a} {b}; Repairing {a} {b}; {a}: {n} home repair mistakes;
            Home repair: {a} {b}; I fixed {a} {b}; A handyman on {a} {b}; {a}, solved {b} in {n}
            minutes; Never call anyone again for {a}"""),
        handles=("toolbox", "handyman", "fixer", "spanner"),
    ),
    Topic(
        name="electronics",
        median_duration_s=310,
        subjects=phrases("""a tube radio; an Arduino weather station; a broken synthesiser; solder
            joints; a mechanical keyboard; an LED matrix; a guitar amplifier; an oscilloscope; a
            solar charger; a retro console; a bench power supply; a robot arm; a smart thermostat; a
            cassette deck; printed circuit boards; a drone motor"""),
        details=phrases("""from spare parts; without a schematic; for ten dollars; on a breadboard;
            found in the trash; with a cheap iron; that caught fire; step by step; with a 555 timer;
            from 1978; on one battery; for a school project"""),
        templates=phrases("""Electronics: {a} {b}; Repairing {a} {b}; I built {a} {b}; {n} faults in
            one board: {a}; {a} {b} | electronics bench; What is really inside {a}; Soldering day:
            {a} {b}; Teardown {n}: {a} {b}"""),
        handles=("circuits", "solder", "voltage", "breadboard"),
    ),
    Topic(
        name="knitting",
        median_duration_s=270,
        subjects=phrases("""cable sweaters; socks; a baby blanket; fair isle mittens; a shawl;
            brioche stitch; a raglan cardigan; lace; a chunky scarf; a beanie; short rows; steeking;
            hand-dyed yarn; double knitting; a cropped vest; mosaic knitting"""),
        details=phrases("""on circular needles; for beginners; from leftover yarn; in two evenings;
            without purling; while watching television; with alpaca wool; from a vintage pattern;
            that actually fit; with frogging and tears; for a newborn; on a train"""),
        templates=phrases("""Knitting {a} {b}; {a} {b}: free knitting pattern; How I knit {a} {b};
            {n} knitting tricks for {a}; Cast on with me: {a} {b}; Fixing mistakes in {a} |
            knitting; Knitting vlog {n}: {a} {b}; The yarn shop recommends {a} {b}"""),
        handles=("yarn", "stitches", "woolwork", "needles"),
    ),
    Topic(
        name="pottery",
        median_duration_s=160,
        subjects=phrases("""a tea bowl; raku glaze; a moon jar; coil pots; a mug handle; wood
            firing; celadon glaze; a dinner plate; a tall pitcher; slip casting; a clay teapot;
            kintsugi; sgraffito; a salt jar; a pit kiln; porcelain vases"""),
        details=phrases("""on a kick wheel; without a kiln; in one throw; that cracked twice; from
            river clay; at 1,280 degrees; with a toothbrush; for a restaurant; in silence; after a
            week of failures; with ash from my stove; for the first time"""),
        templates=phrases("""Pottery: {a} {b}; Making {a} {b} | ceramics; {a} {b}, from clay to
            kiln; {n} pots later: {a} {b}; Opening the kiln: {a} {b}; A potter explains {a} {b};
            Studio pottery day {n}: {a}; Trimming and glazing {a} {b}"""),
        handles=("kiln", "clay", "glaze", "potterswheel"),
    ),
)

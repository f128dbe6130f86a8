"""Words of the topics about sport."""

from playbill.simulation.vocabulary.topic import Topic, phrases

SPORT = (
    Topic(
        name="football",
        median_duration_s=120,
        subjects=phrases("""late winners; free kicks; penalty shoot-outs; counter-attacks; derby
            goals; offside traps; goalkeeper saves; back-heel goals; headers; corner routines;
            through balls; long throws; own goals; bicycle kicks; nutmegs; volleys"""),
        details=phrases("""from the lower leagues; of the season; that shocked the stadium; in
            stoppage time; from the women's cup; in the snow; nobody remembers; that the referee
            missed; explained by a coach; filmed from the stands; from the academy pitch; before a
            cup final"""),
        templates=phrases("""{n} football {a} {b}; The best {a} {b} | football; Football tactics:
            {a} {b}; Why {a} decide football matches; Matchday vlog: {a} {b}; {a} {b}, ranked by a
            striker; Learning football {a} in {n} days; Football podcast: {a} {b}"""),
        handles=("striker", "terrace", "pitch", "offside"),
    ),
    Topic(
        name="basketball",
        median_duration_s=110,
        subjects=phrases("""step-back threes; alley-oops; buzzer beaters; crossovers; chase-down
            blocks; hook shots; fast breaks; no-look passes; free throws; pick-and-rolls; poster
            dunks; zone defence; euro steps; bank shots; rebounds; full-court presses"""),
        details=phrases("""on the neighbourhood court; from the playoffs; in overtime; under 1.80 m;
            that broke the rim; from the college final; taught by a guard; in slow motion; from half
            court; nobody defended; in the last second; of the decade"""),
        templates=phrases("""{n} basketball {a} {b}; {a} {b} | basketball breakdown; How to practise
            {a} at home; The greatest {a} {b} on a basketball court; I tried {a} {b} for {n} days;
            Basketball drills: {a} {b}; How {a} won us a basketball game; Streetball {a} {b}"""),
        handles=("hoops", "dunk", "fastbreak", "rim"),
    ),
    Topic(
        name="running",
        median_duration_s=260,
        subjects=phrases("""my first marathon; a sub-20 5k; trail running; hill repeats; easy runs;
            a half marathon; tempo runs; barefoot running; an ultramarathon; interval training;
            night running; a couch-to-5k plan; treadmill running; marathon tapering; recovery runs;
            cross-country running"""),
        details=phrases("""at 45; in the heat; after an injury; with a toddler at home; on hills;
            without a watch; in winter; at heart rate zone two; in carbon shoes; before work; on
            three days a week; at altitude"""),
        templates=phrases("""Training for {a} {b}; {a} {b}: what I learned in {n} weeks; {n}
            mistakes in {a}; Run with me: {a} {b}; A coach on {a} {b}; The truth about {a} {b} |
            running diary; My running diary: {a} {b}; Shoes I trust for {a} {b}"""),
        handles=("miles", "pacer", "stride", "trailrun"),
    ),
    Topic(
        name="cycling",
        median_duration_s=280,
        subjects=phrases("""gravel bikes; road bikes; bike packing; a mountain pass by bike;
            tubeless tyres; single-speed bikes; e-bikes; winter cycling; a 200 km bike ride; cargo
            bikes; bike chains; a bike fit; indoor trainers; downhill trails; brake pads; commuting
            by bike"""),
        details=phrases("""on a small budget; in the rain; with a child seat; after 10,000 km; on
            cobblestones; without a car; explained by a mechanic; in the Alps; with one gear; at 6
            am; in a headwind; with city traffic"""),
        templates=phrases("""{a} {b}: an honest cycling review; Everything about {a} {b}; {n}
            cycling lessons from {a}; I tried {a} {b}; {a} {b} | cycling vlog; The bike shop
            answers: {a} {b}; {a} for cyclists in {n} minutes; Pedalling on: {a} {b}"""),
        handles=("wheels", "peloton", "spokes", "gravel"),
    ),
    Topic(
        name="climbing",
        median_duration_s=200,
        subjects=phrases("""a V5 boulder; crimp strength; my first lead climb; multi-pitch climbing;
            dynos; slab climbing; crack climbing; finger training; a 7a sport route; campus
            boarding; heel hooks; top-rope anchors; trad climbing; deep-water soloing; the moon
            board; ice climbing"""),
        details=phrases("""after one year; for short climbers; in the gym; on wet granite; without
            hurting your fingers; on a rest day; with old shoes; at 50; in one session; on
            limestone; with a fear of falling; outdoors"""),
        templates=phrases("""Projecting {a} {b}; {a} {b}: climbing beta; How to train {a} {b}; {n}
            falls on {a}; A route setter explains {a} {b}; {a} {b} | climbing film; Climbing diary:
            {a} {b}; {n} weeks of climbing for {a}"""),
        handles=("crux", "chalk", "belay", "boulder"),
    ),
)

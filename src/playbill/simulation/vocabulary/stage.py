"""Words of the topics about music and the stage."""

from playbill.simulation.vocabulary.topic import Topic, phrases

STAGE = (
    Topic(
        name="guitar",
        median_duration_s=230,
        subjects=phrases("""fingerstyle guitar; barre chords; blues licks; slide guitar; flamenco
            guitar; guitar solos; drop-D riffs; jazz guitar chords; twelve-string guitar; guitar
            pedals; pentatonic scales; bossa nova guitar; hybrid picking; palm muting; surf guitar;
            a parlour guitar"""),
        details=phrases("""for small hands; in one take; with a dying amp; at 60 bpm; on a pawn-shop
            guitar; without theory; around a campfire; in open tuning; like the records; after ten
            years of playing; with five notes; in a stairwell"""),
        templates=phrases("""Learn {a} {b}; {a} {b}: tab on screen; {n} guitar lessons in one: {a};
            I practised {a} {b} for {n} days; {a} {b} | guitar cover; The trick behind {a} {b};
            Guitar tone talk: {a} {b}; A luthier listens to {a} {b}"""),
        handles=("strings", "fretboard", "riffs", "sixstring"),
    ),
    Topic(
        name="piano",
        median_duration_s=250,
        subjects=phrases("""a Chopin nocturne; boogie-woogie piano; sight-reading; left-hand
            patterns; a Bach fugue; jazz piano voicings; film music on piano; piano improvisation;
            ragtime; a Satie waltz; pedalling; four-hand piano; stride piano; lullabies on piano; a
            station piano; piano scales"""),
        details=phrases("""for adult beginners; on an out-of-tune upright; at half speed; in a train
            station; with sheet music; by ear; on a silent piano at night; with my daughter; after
            one year; in the dark; with weak fingers; on a grand piano"""),
        templates=phrases("""Piano: {a} {b}; How to play {a} {b}; {a} {b} | piano performance; {n}
            minutes of {a} on the piano; A concert pianist teaches {a} {b}; I learned {a} {b} in {n}
            weeks | piano; Piano practice diary: {a} {b}; The slow way to learn {a} {b} | piano"""),
        handles=("keys", "nocturne", "pianist", "uprightpiano"),
    ),
    Topic(
        name="hip-hop",
        median_duration_s=170,
        subjects=phrases("""boom-bap beats; freestyle cyphers; sampled soul loops; trap drums;
            double-time flows; rap battles; lo-fi beats; MPC finger drumming; punchlines; turntable
            scratching; grime bars; jazz rap; storytelling verses; 808 basslines; crate digging;
            old-school breaks"""),
        details=phrases("""made in a bedroom; with one sample; from the nineties; in ten minutes; on
            a cracked laptop; at an open mic; in three languages; on a subway platform; with no
            drums; that went unreleased; from a dollar bin; with live strings"""),
        templates=phrases("""Hip-hop: {a} {b}; Making {a} {b}; {a} {b} | beat tape {n}; Hip-hop
            history: {a} {b}; {n} {a} {b}; A producer breaks down {a} {b}; How rappers use {a};
            Cypher night: {a} {b}"""),
        handles=("beats", "cypher", "sampler", "bars"),
    ),
    Topic(
        name="dance",
        median_duration_s=45,
        subjects=phrases("""salsa; popping; ballet; house dance; bachata; tango; breaking; tap
            dance; contemporary dance; locking; Bharatanatyam; lindy hop; waacking; K-pop
            choreography; kizomba; Irish dance"""),
        details=phrases("""in the rain; in a parking garage; with my grandfather; for two left feet;
            in slow motion; on a rooftop; in one take; in heavy boots; after one lesson; at a
            wedding; in a museum; with a live drummer"""),
        templates=phrases("""{a} {b} | dance; Learn {a} {b} in {n} steps; Dancing {a} {b}; {n} years
            of {a} {b}; The dance studio tries {a} {b}; A dancer explains {a} {b}; First dance
            class: {a} {b}; {a} {b}, choreography {n}"""),
        handles=("steps", "studio", "pirouette", "dancefloor"),
    ),
    Topic(
        name="stand-up",
        median_duration_s=75,
        subjects=phrases("""my landlord; airport security; group chats; my mother's voicemails; gym
            mirrors; dating apps; open-plan offices; self-checkouts; school reunions; my thirties;
            neighbours; long-haul flights; flat-pack furniture; family dinners; parking tickets;
            small talk"""),
        details=phrases("""to a silent room; in front of my parents; at a Tuesday open mic; with a
            heckler; on my first night; in a laundromat; after midnight; for eleven people; in my
            second language; at a corporate party; without notes; on a boat"""),
        templates=phrases("""Stand-up: {a} {b}; Jokes about {a}, told {b}; {n} minutes of stand-up
            on {a}; A comedian versus {a} {b}; What is funny about {a} | stand-up set {n}; Crowd
            work about {a} {b}; Bombing with {a} {b} | stand-up; Open mic: {a} {b}"""),
        handles=("punchline", "openmic", "heckler", "comedy"),
    ),
)

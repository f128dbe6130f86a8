"""Words of the topics about science and technology."""

from playbill.simulation.vocabulary.topic import Topic, phrases

SCIENCE = (
    Topic(
        name="astronomy",
        median_duration_s=300,
        subjects=phrases("""Saturn's rings; the Orion Nebula; black holes; the Andromeda galaxy;
            meteor showers; Jupiter's storms; neutron stars; a lunar eclipse; exoplanets; the Milky
            Way; comets; dark matter; sunspots; Mars at opposition; the Pleiades; gravitational
            waves"""),
        details=phrases("""from a city balcony; with a cheap telescope; in one night; photographed
            by phone; in true colour; explained without maths; with binoculars; from the desert; for
            the first time; as seen by a space telescope; in 4,000 frames; with my students"""),
        templates=phrases("""Astronomy: {a} {b}; Observing {a} {b}; {a} {b} | night sky diary; {n}
            facts about {a} astronomers love; How we know about {a}; Photographing {a} {b}; An
            astronomer answers: {a} {b}; {n} nights under the stars: {a} {b}"""),
        handles=("telescope", "nebula", "nightsky", "orbit"),
    ),
    Topic(
        name="biology",
        median_duration_s=280,
        subjects=phrases("""octopus brains; tardigrades; slime mould; ant colonies; CRISPR; mycelium
            networks; deep-sea fish; bee dances; axolotl regeneration; carnivorous plants; gut
            bacteria; bird migration; jellyfish; spider silk; photosynthesis; cell division"""),
        details=phrases("""under a microscope; explained in plain words; filmed for a year; in my
            aquarium; at the field station; that textbooks get wrong; in slow motion; with a
            biologist; from pond water; in the lab; for curious people; drawn on paper"""),
        templates=phrases("""Biology: {a} {b}; The secret of {a} {b}; {a} {b} | biology explained;
            {n} strange things about {a}; How {a} evolved; I watched {a} {b} for {n} days; A
            biologist on {a} {b}; What {a} taught biology"""),
        handles=("microscope", "petri", "fieldnotes", "helix"),
    ),
    Topic(
        name="physics",
        median_duration_s=320,
        subjects=phrases("""the double slit; magnetic levitation; entropy; pendulum waves; time
            dilation; superconductors; laminar flow; standing waves; quantum tunnelling; gyroscopes;
            the Doppler effect; Newton's cradle; plasma; fibre optics; surface tension; angular
            momentum"""),
        details=phrases("""in my kitchen; with a laser pointer; in slow motion; without equations;
            on a merry-go-round; for a physics exam; with liquid nitrogen; in one diagram; explained
            by a teacher; with two magnets; filmed at 10,000 frames; for sceptics"""),
        templates=phrases("""Physics of {a} {b}; {a} {b}: a physics experiment; Understanding {a}
            {b}; {n} physics demos on {a}; Why {a} fooled physicists; I tested {a} {b}; The physics
            teacher shows {a} {b}; {a} in {n} minutes | physics"""),
        handles=("quanta", "pendulum", "lab", "entropy"),
    ),
    Topic(
        name="programming",
        median_duration_s=520,
        subjects=phrases("""Python decorators; Rust lifetimes; SQL joins; git rebase; unit tests;
            regular expressions; a toy compiler; async code; garbage collectors; hash maps; CSS
            grid; Vim motions; Docker images; a chess engine in C; binary search; functional
            programming"""),
        details=phrases("""in one sitting; for tired developers; from scratch; live on stream;
            without a framework; that saved my weekend; with drawings; in a legacy code base; at 3
            am; for my past self; before the deadline; in a job interview"""),
        templates=phrases("""{a} {b} | programming; Coding {a} {b}; {n} bugs caused by {a};
            Understand {a} {b}; Code review: {a} {b}; Debugging {a} {b}; A senior developer on {a}
            {b}; Programming kata {n}: {a}"""),
        handles=("commits", "compiler", "debugger", "semicolon"),
    ),
    Topic(
        name="gadgets",
        median_duration_s=260,
        subjects=phrases("""folding phones; noise-cancelling headphones; e-ink tablets; action
            cameras; smart rings; mini projectors; robot vacuums; portable monitors; budget phones;
            mesh routers; power banks; smart glasses; wireless earbuds; drones; e-readers; USB-C
            docks"""),
        details=phrases("""after one year; under a hundred dollars; on a long flight; for students;
            that nobody needs; dropped ten times; side by side; in daily use; with honest numbers;
            repaired at home; for my parents; in cold weather"""),
        templates=phrases("""{a} {b}: gadget review; {n} {a} {b}; Testing {a} {b}; The truth about
            {a} {b} | tech review; Gadget lab: {a} {b}; I lived with {a} {b}; {a} {b}: worth it or
            not?; Unboxing {n} {a}"""),
        handles=("gadget", "unboxed", "specs", "battery"),
    ),
)

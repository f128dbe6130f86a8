"""Words of the topics about everyday life and culture."""

from playbill.simulation.vocabulary.topic import Topic, phrases

LIFE = (
    Topic(
        name="cats",
        median_duration_s=28,
        subjects=phrases("""my cat; a shelter kitten; a Siamese cat; a very large Maine Coon; the
            office cat; an old tabby; a three-legged cat; the neighbour's cat; a tuxedo cat; a
            ginger kitten; a Persian cat; the bookshop cat; a ginger cat; a black kitten; a hairless
            cat; our barn cat"""),
        details=phrases("""versus a cucumber; meets a robot vacuum; in a box; and the closed door;
            at 4 am; and the red dot; meets the new puppy; on the keyboard; during a video call;
            after the vet; and the fish tank; in a tiny hat"""),
        templates=phrases("""{a} {b}; {a} {b}, {n} times; Day {n} of {a} {b}; POV: {a} {b};
            Meanwhile, {a} {b}; {a} {b}, no regrets; Cat diary: {a} {b}; Cat logic: {a} {b}"""),
        handles=("whiskers", "paws", "meow", "tabby"),
    ),
    Topic(
        name="dogs",
        median_duration_s=35,
        subjects=phrases("""a rescue dog; my border collie; a golden retriever; a deaf dog; a tiny
            dachshund; a stubborn husky; a police dog; a therapy dog; the world's calmest corgi; a
            labrador puppy; a street dog; a senior beagle; a great dane; a sheepdog; a nervous
            greyhound; a poodle"""),
        details=phrases("""learns to swim; sees snow; meets the baby; steals a whole chicken; goes
            to the office; runs the agility course; finds a home; waits at the station; hears a
            siren; survives the groomer; learns a new trick; refuses to go home"""),
        templates=phrases("""{a} {b}; {a} {b} | dog diary; How {a} {b}; Day {n}: {a} {b}; {n}
            seconds of joy: {a} {b}; A dog trainer watches: {a} {b}; The moment {a} {b}; Good dog:
            {a} {b}"""),
        handles=("pawprints", "fetch", "kennel", "goodboy"),
    ),
    Topic(
        name="cinema",
        median_duration_s=440,
        subjects=phrases("""film noir; practical effects; long takes; opening scenes; movie sound
            design; heist films; silent films; movie posters; Westerns; film scores; animated films;
            plot twists; black-and-white films; science fiction films; film editing; kitchen-sink
            dramas"""),
        details=phrases("""that changed directing; nobody saw; from the seventies; shot on a phone;
            ranked by a projectionist; that critics hated; in one frame; made for nothing; from
            Seoul; worth a second watch; with better endings; from my VHS shelf"""),
        templates=phrases("""Cinema list {n}: {a} {b}; Cinema essay: {a} {b}; The lasting pull of
            {a} | cinema; {a} {b} | film analysis; The art of {a} {b}; How cinema invented {a};
            Movie night: {a} {b}; A film student on {a} {b}"""),
        handles=("projector", "celluloid", "reels", "matinee"),
    ),
    Topic(
        name="history",
        median_duration_s=460,
        subjects=phrases("""Roman roads; the Silk Road; medieval bread; the Black Death; Viking
            ships; the printing press; Aztec markets; the Ottoman court; the fall of Constantinople;
            castle sieges; the Mongol post; ancient Egyptian beer; the Berlin Wall; Victorian
            sewers; samurai letters; the Library of Alexandria"""),
        details=phrases("""in one map; told by a historian; that school skipped; in everyday life;
            rebuilt by hand; from original letters; through one family; with archaeologists; at
            street level; by numbers; in the words of eyewitnesses; without the myths"""),
        templates=phrases("""History: {a} {b}; The story of {a} {b}; {a} {b} | history documentary;
            {n} myths about {a}; What historians learned from {a}; A day with {a}, {b}; History in
            {n} minutes: {a}; I visited what is left of {a}"""),
        handles=("archive", "chronicle", "ruins", "parchment"),
    ),
    Topic(
        name="money",
        median_duration_s=340,
        subjects=phrases("""index funds; a first budget; student loans; compound interest; an
            emergency fund; credit card debt; side jobs; pension plans; a rental deposit; grocery
            bills; a tax return; early retirement; inflation; a salary negotiation; a mortgage;
            joint bank accounts"""),
        details=phrases("""on a low income; in your twenties; after a divorce; explained with coffee
            beans; without jargon; for freelancers; in a shared flat; that banks hide; with a
            spreadsheet; at 50; for couples; step by step"""),
        templates=phrases("""Money talk: {a} {b}; {a} {b}: the real numbers; How I handled {a} {b};
            {n} money mistakes with {a}; {a} {b} | personal finance; An accountant on {a} {b}; I
            tracked {a} for {n} months; Saving money: {a} {b}"""),
        handles=("ledger", "budget", "piggybank", "pennies"),
    ),
)

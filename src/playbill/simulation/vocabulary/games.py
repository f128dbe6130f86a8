"""Words of the topics about games."""

from playbill.simulation.vocabulary.topic import Topic, phrases

GAMES = (
    Topic(
        name="video-games",
        median_duration_s=420,
        subjects=phrases("""farming sims; soulslike bosses; open-world games; roguelikes;
            platformers; stealth games; city builders; cosy games; survival crafting; metroidvanias;
            turn-based tactics; point-and-click games; kart racers; horror games; visual novels;
            indie games"""),
        details=phrases("""on a ten-year-old laptop; without dying; with my little sister; you can
            finish in a weekend; with no tutorial; that respect your time; nobody played; on a
            handheld; from one developer; in co-op; at launch; with the worst controls"""),
        templates=phrases("""{n} {a} {b}; Let's play {a} {b}; Why I still love {a} {b}; The problem
            with {a} {b} | video game essay; Ranking {a} {b}; {a} {b}: a gamer's review; I played
            {n} hours of {a}; Hidden gems: {a} {b}"""),
        handles=("pixels", "joypad", "savepoint", "sidequest"),
    ),
    Topic(
        name="chess",
        median_duration_s=360,
        subjects=phrases("""the Sicilian Defence; rook endgames; the Queen's Gambit; knight forks;
            back-rank mates; the London System; smothered mates; bishop pairs; king hunts; the
            Caro-Kann; passed pawns; blitz time trouble; the King's Indian; queen sacrifices;
            zugzwang; the French Defence"""),
        details=phrases("""for club players; at 1200 rating; in a world championship; against a
            grandmaster; in three minutes; explained slowly; from 1851; that engines hate; in a park
            game; against my uncle; with the black pieces; from an online tournament"""),
        templates=phrases("""Chess: {a} {b}; How to win with {a} {b}; {n} chess puzzles on {a}; I
            lost to {a} {b} | chess; A chess coach on {a} {b}; The most beautiful chess game with
            {a}; {a} {b}, move by move; Stop fearing {a}: chess lesson {n}"""),
        handles=("gambit", "rook", "endgame", "checkmate"),
    ),
    Topic(
        name="board-games",
        median_duration_s=380,
        subjects=phrases("""worker placement games; deck builders; social deduction games; legacy
            games; two-player board games; dice games; tile-laying games; war games; party games;
            solo board games; trick-taking games; cooperative board games; word games; train games;
            miniature games; economic board games"""),
        details=phrases("""for six players; under thirty minutes; you can teach to anyone; with
            gorgeous art; for a rainy Sunday; with my parents; for game night; that fit in a pocket;
            worth the price; from the flea market; with no luck at all; we play every week"""),
        templates=phrases("""{n} {a} {b}; How to play {a} {b}; {a} {b}: at the table; Our favourite
            {a} {b}; Why {a} took over our board game shelf; A rules lawyer on {a} {b}; Board game
            night: {a} {b}; Unboxing {n} {a} {b}"""),
        handles=("meeple", "dice", "tabletop", "boardroom"),
    ),
    Topic(
        name="speedruns",
        median_duration_s=480,
        subjects=phrases("""any-percent runs; 100-percent runs; glitchless runs; wall clips;
            sequence breaks; sub-hour runs; blindfolded runs; out-of-bounds skips; tool-assisted
            runs; co-op runs; low-percent runs; frame-perfect tricks; marathon runs; randomiser
            races; damage boosts; menu storage glitches"""),
        details=phrases("""of a kart racer; of a 16-bit classic; of a horror game; nobody thought
            possible; that took ten years; explained in plain words; with commentary; on original
            hardware; of a point-and-click game; of a platformer; at a charity event; of a pinball
            game"""),
        templates=phrases("""{a} {b}: world record history; Speedrun: {a} {b}; How runners perfected
            {a} {b}; I learned {a} {b} in {n} days; {n} seconds saved: {a} {b}; The story of {a}
            {b}; A speedrunner reacts to {a} {b}; Why {a} divide speedrunners"""),
        handles=("anypercent", "glitch", "framecount", "splits"),
    ),
    Topic(
        name="esports",
        median_duration_s=300,
        subjects=phrases("""clutch rounds; draft phases; grand finals; team fights; rookie players;
            aim training; tournament upsets; shot calling; roster moves; pentakills; comeback maps;
            support players; eco rounds; qualifiers; halftime coaching; crowd reactions"""),
        details=phrases("""from the winter major; that changed the meta; seen from player cam; in
            the regional league; with full team comms; nobody predicted; in the lower bracket; on
            the last map; at a sold-out arena; from the collegiate cup; of this split; explained by
            an analyst"""),
        templates=phrases("""{n} {a} {b} | esports; Esports breakdown: {a} {b}; The best {a} {b};
            How pros think about {a}; {a} {b}, cast live; Inside an esports team: {a} {b}; The role
            of {a} in esports; Esports week {n}: {a} {b}"""),
        handles=("clutch", "lastmap", "respawn", "bootcamp"),
    ),
)

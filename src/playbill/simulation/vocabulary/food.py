"""Words of the topics about food."""

from playbill.simulation.vocabulary.topic import Topic, phrases

FOOD = (
    Topic(
        name="cooking",
        median_duration_s=210,
        subjects=phrases("""mushroom risotto; chicken ramen; lentil curry; beef stew; shakshuka; pad
            thai; fish tacos; potato gnocchi; lamb tagine; fried rice; tomato soup; paella; pork
            dumplings; moussaka; roast chicken; bibimbap; black bean chili; ratatouille"""),
        details=phrases("""in one pan; on a weeknight; from leftovers; for six people; without an
            oven; from pantry staples; the way my grandmother made it; on a tight budget; in a tiny
            kitchen; with far too much garlic; over an open fire; in a pressure cooker"""),
        templates=phrases("""How to cook {a} {b}; {a} {b}: the full recipe; I cooked {a} {b} for {n}
            days; {a} {b} in {n} minutes; Restaurant-style {a} {b}; The mistake that ruins {a}; The
            only {a} recipe you need {b}; A chef rates my {a} cooked {b}"""),
        handles=("kitchen", "skillet", "supper", "pantry"),
    ),
    Topic(
        name="baking",
        median_duration_s=240,
        subjects=phrases("""sourdough; croissants; banana bread; cinnamon rolls; focaccia; brioche;
            cheesecake; macarons; lemon tart; chocolate chip cookies; apple pie; bagels; carrot
            cake; eclairs; rye bread; shortbread; meringue; puff pastry"""),
        details=phrases("""without a mixer; in a Dutch oven; with an overnight rise; in a humid
            kitchen; with half the sugar; from a hundred-year-old recipe; with brown butter; gluten
            free; in a toaster oven; for a birthday; at high altitude; by feel, without scales"""),
        templates=phrases("""Baking {a} {b}; {a} {b}, from flour to crumb; Why your {a} fails {b};
            {n} tries to bake perfect {a}; {a} {b}: my bakery method; I baked {a} {b} and it rose
            twice; {a} baked {b}, tasted blind; Bake {a} {b} in {n} steps"""),
        handles=("bakery", "crumb", "oven", "flour"),
    ),
    Topic(
        name="street-food",
        median_duration_s=150,
        subjects=phrases("""takoyaki; tacos al pastor; doner kebab; banh mi; pani puri; churros;
            jollof rice; arepas; satay skewers; currywurst; falafel; bao buns; vada pav; fish and
            chips; pierogi; tteokbokki; jerk chicken; laksa"""),
        details=phrases("""at the night market; behind the train station; at 5 am; for two dollars;
            from a cart older than me; in the old town; after the match; in the rain; with the
            longest queue in town; by the harbour; at a bus stop; on a Sunday market"""),
        templates=phrases("""Eating {a} {b}; The best street {a}, {b}; {n} street stalls, one {a}; A
            vendor makes {a} {b}; I followed the smell of {a} {b}; Street food tour: {a} {b}; Who
            sells {a} {b}?; {n} plates of {a} {b}"""),
        handles=("stall", "bites", "nightmarket", "skewer"),
    ),
    Topic(
        name="coffee",
        median_duration_s=180,
        subjects=phrases("""espresso; flat white; cold brew; pour-over coffee; moka pot coffee;
            latte art; AeroPress coffee; Turkish coffee; cortado; home-roasted beans; Vietnamese
            iced coffee; decaf; French press coffee; cappuccino; filter coffee; cascara tea"""),
        details=phrases("""with a cheap grinder; on a fifty-dollar machine; with hard water; at a
            camp site; in a hotel room; with light-roast beans; without bitterness; before 6 am;
            like a barista; with a kitchen scale; with oat milk; for people who hate coffee"""),
        templates=phrases("""How to brew {a} {b}; {a} {b}: what I changed; Dialling in {a} {b}; {n}
            cups of {a} {b}; {a} {b}, tasted blind; Why your {a} tastes sour; A barista explains {a}
            {b}; My morning {a}, made {b}"""),
        handles=("espresso", "roast", "barista", "grinder"),
    ),
    Topic(
        name="vegan-food",
        median_duration_s=190,
        subjects=phrases("""tofu scramble; chickpea curry; cashew cheese; seitan steak; jackfruit
            tacos; lentil bolognese; tempeh bacon; mushroom jerky; oat milk pudding; vegan lasagne;
            cauliflower wings; bean burgers; coconut yoghurt; aquafaba mousse; miso aubergine;
            peanut noodles"""),
        details=phrases("""that fooled my father; with 30 grams of protein; under three dollars; for
            meal prep; in fifteen minutes; with no soy; without a blender; for sceptics; from the
            freezer; for a crowd; with only six ingredients; for picky children"""),
        templates=phrases("""Vegan {a} {b}; {a} {b}, all plants; How I make {a} {b}; {n} plant-based
            days on {a}; The {a} {b} everybody asks about; Plant-based {a} {b}: full method; Rating
            {n} shop versions of {a}; What I learned from vegan {a} {b}"""),
        handles=("greens", "plants", "sprout", "chickpea"),
    ),
)

"""First names and adjectives that authors' handles are made of."""

from playbill.simulation.vocabulary.topic import phrases

FIRST_NAMES = phrases("""amara; ana; anders; arjun; ayesha; bao; beatriz; bela; bruno; carmen;
    chidi; chloe; dalia; daniel; daria; diego; elif; emil; emma; enzo; esra; fatima; felix; finn;
    freya; giulia; hana; hassan; hugo; ingrid; ines; ivan; jae; jamal; jana; jin; joao; jonas;
    julia; kaito; karim; kavya; kofi; lars; layla; leo; lina; luca; lucia; malik; marek; maria;
    mateo; maya; mei; mika; mina; nadia; naoki; nia; nico; noor; olga; omar; oscar; paolo; petra;
    priya; rafa; ravi; rosa; ruth; sami; sara; sofia; sven; tala; tariq; teo; tess; thiago; tomas;
    uma; vera; wei; yara; yuki; zara; zoe""")

ADJECTIVES = phrases("""quiet; small; daily; honest; late; golden; wild; slow; little; northern;
    weekend; curious; humble; bright; wandering; midnight; sunny; second; green; old""")

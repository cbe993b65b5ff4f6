//! Lamps, rugs and ceramics.

use super::{
    item::{Choice, Item, Kind::*},
    palette::Tone,
};

const RUG_SIZES: &[Choice] = &[
    ("60 × 90 cm", "S", 0),
    ("120 × 180 cm", "M", 16_000),
    ("160 × 230 cm", "L", 32_500),
];
const GLAZES: &[Choice] = &[
    ("Sea", "SEA", 0),
    ("Sand", "SND", 0),
    ("Fig", "FIG", 0),
    ("Soot", "SOT", 150),
];

pub(super) fn items() -> Vec<Item> {
    vec![
        Item::new(Lantern, "LAN-ZEL", "Zellige Hanging Lantern", 8_900, 1_900).form(0)
            .text("Pierced brass, cut by hand into eight-pointed stars. Hang it low over a table and the whole room turns into a night sky. Comes with a metre of chain and a fitting for an E14 bulb.")
            .tags(&["brass", "lighting", "handmade"])
            .tone(Tone::Saffron)
            .fact("Material", "Brass").fact("Height", "38 cm"),
        Item::new(Rug, "RUG-ATL", "Atlas Diamond Rug", 9_500, 2_400).form(0)
            .text("Undyed wool from the high pastures, knotted thick enough to lose a slipper in. The diamonds are never quite even; that is how you know a person made them.")
            .tags(&["wool", "floor", "handmade"])
            .by("Size", RUG_SIZES).tone(Tone::Clay)
            .fact("Material", "Wool").fact("Pile", "18 mm"),
        Item::new(Mug, "MUG-MRN", "Morning Mug", 1_450, 340).form(0)
            .text("A mug with a wide handle for four fingers and a glaze that runs a little differently each time. Holds a generous third of a litre, and does not mind the dishwasher.")
            .tags(&["stoneware", "kitchen", "gift"])
            .by("Glaze", GLAZES)
            .fact("Capacity", "350 ml").fact("Dishwasher", "Yes"),
        Item::new(TableLamp, "LMP-DUN", "Dune Table Lamp", 6_450, 2_100).form(0)
            .text("A round stoneware foot the colour of wet sand under a linen shade. The light it gives is warm enough to read by and soft enough to fall asleep in.")
            .tags(&["lighting", "linen", "bedroom"])
            .tone(Tone::Saffron).was(7_900).fact("Height", "46 cm").fact("Bulb", "E27, up to 40 W"),
        Item::new(Bowl, "BWL-FEZ", "Fez Blue Serving Bowl", 3_800, 1_150).form(0)
            .text("Cobalt brushed on white, one triangle after the other, all around the rim. Deep enough for couscous for six, pretty enough to hold nothing but three lemons.")
            .tags(&["stoneware", "kitchen", "table"])
            .tone(Tone::Indigo).fact("Diameter", "30 cm"),
        Item::new(Rug, "RUG-KIL", "Seven Stripe Kilim", 7_900, 1_600).form(1)
            .text("Flat-woven in seven colours, light enough to shake out of the window. Both sides are the good side.")
            .tags(&["wool", "floor", "flatweave"])
            .by("Size", RUG_SIZES).tone(Tone::Rose).fact("Material", "Wool on cotton"),
        Item::new(Tagine, "TAG-CLY", "Clay Tagine for Four", 4_600, 3_200)
            .text("The tall lid sends the steam back down, so that a tough cut turns tender while you do something else. Soak it once before the first use; after that it only gets better.")
            .tags(&["kitchen", "cooking", "clay"])
            .tone(Tone::Clay).fact("Diameter", "27 cm").fact("Oven", "Up to 200 °C"),
        Item::new(Lantern, "LAN-COU", "Courtyard Candle Lantern", 3_400, 900).form(1)
            .text("Coloured glass in a black frame, for a candle the size of a fist. Stands on a step, hangs from a branch, and keeps the wind out either way.")
            .tags(&["lighting", "outdoor", "glass"])
            .tone(Tone::Teal).by("Height", &[("24 cm", "S", 0), ("34 cm", "L", 1_200)]),
        Item::new(Vase, "VAS-AMP", "Little Amphora Vase", 2_900, 780).form(0)
            .text("A narrow neck, so that three stems look like a bouquet. Thrown in one piece and burnished with a spoon, the way it has been done for a long time.")
            .tags(&["stoneware", "flowers", "gift"])
            .fact("Height", "22 cm"),
        Item::new(Bowl, "BWL-PRN", "Pair of Pinch Bowls", 1_600, 260).form(1)
            .text("For salt and for cumin, for olives and for their stones. Pinched rather than thrown, so that your thumb finds the maker’s.")
            .tags(&["stoneware", "kitchen", "table"])
            .tone(Tone::Olive).fact("Diameter", "9 cm").fact("Pieces", "2"),
        Item::new(TableLamp, "LMP-MIN", "Minaret Reading Lamp", 9_800, 2_900).form(1)
            .text("A slender turned-wood column with a brass switch that clicks as a switch should. The shade tilts, for those who read on the left.")
            .tags(&["lighting", "wood", "desk"])
            .tone(Tone::Plum).fact("Height", "58 cm").made_to_order(),
        Item::new(Rug, "RUG-GAR", "Garden Gate Rug", 12_500, 2_900).form(2)
            .text("A medallion in the middle and a border all around, as a garden has a fountain and a wall. Vegetable-dyed, and it fades like good denim.")
            .tags(&["wool", "floor", "handmade"])
            .by("Size", RUG_SIZES).tone(Tone::Indigo).was(14_500).fact("Material", "Wool"),
        Item::new(Vase, "VAS-TLL", "Tall Terrace Vase", 5_200, 2_600).form(1)
            .text("Knee-high, heavy-footed and not at all afraid of a cat. Made for branches: olive, almond, whatever the hedge can spare.")
            .tags(&["stoneware", "flowers", "floor"])
            .tone(Tone::Sage).fact("Height", "44 cm"),
        Item::new(Mug, "MUG-ESP", "Espresso Thimble", 950, 120).form(1)
            .text("Two sips, no handle, and walls thick enough to hold while it is hot. Stacks four high before it becomes brave.")
            .tags(&["stoneware", "coffee", "kitchen"])
            .by("Glaze", GLAZES).fact("Capacity", "70 ml"),
        Item::new(Bowl, "BWL-MON", "Moon Salad Bowl", 4_400, 1_500).form(2)
            .text("Wide, shallow and speckled like the thing it is named after. The glaze breaks to honey at the rim.")
            .tags(&["stoneware", "table"])
            .tone(Tone::Ink).fact("Diameter", "34 cm"),
    ]
}

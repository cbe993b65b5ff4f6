//! Teas, spices, and what to brew them in.

use super::{
    item::{Choice, Item, Kind::*},
    palette::Tone,
};

const TEA: &[Choice] = &[
    ("50 g", "050", 0),
    ("100 g", "100", 480),
    ("250 g", "250", 1_650),
];
const SPICE: &[Choice] = &[("Jar, 45 g", "JAR", 0), ("Refill, 100 g", "REF", 180)];

pub(super) fn items() -> Vec<Item> {
    vec![
        Item::new(Tea, "TEA-MNT", "Courtyard Mint Tea", 620, 120).form(0)
            .text("Gunpowder green rolled tight with spearmint picked before the sun gets to it. Pour it from as high as you dare.")
            .tags(&["tea", "green", "mint"]).by("Weight", TEA).tone(Tone::Sage)
            .fact("Water", "80 °C, 3 minutes").fact("Caffeine", "Some"),
        Item::new(Spice, "SPC-RAS", "Ras el Hanout", 540, 180).form(2)
            .text("“Head of the shop”: twenty-three spices, among them rose, mace and a pepper most people have never met. For lamb, for pumpkin, and for a spoon when nobody looks.")
            .tags(&["spice", "blend", "cooking"]).by("Size", SPICE).tone(Tone::Clay),
        Item::new(Teapot, "POT-SLV", "Pouring Teapot", 4_950, 860)
            .text("A long curved spout that never drips and a handle that stays cool. Hammered by hand, so that every dent is on purpose.")
            .tags(&["tea", "kitchen", "metal"]).tone(Tone::Ink)
            .fact("Capacity", "0.9 l").fact("Hob", "Gas and electric"),
        Item::new(Spice, "SPC-SAF", "Saffron Threads", 1_150, 60).form(1)
            .text("One gram of whole threads, deep red to the tip, picked by hand from some hundred and fifty flowers. Warm them in a little milk before you trust them to the rice.")
            .tags(&["spice", "saffron", "gift"]).tone(Tone::Saffron)
            .fact("Weight", "1 g").fact("Harvest", "Last autumn"),
        Item::new(Tea, "TEA-SMK", "Caravan Smoke", 780, 120).form(1)
            .text("Black tea dried over pine, as if it had spent forty nights beside a camp fire. Stands up to milk, to rain and to Mondays.")
            .tags(&["tea", "black", "smoky"]).by("Weight", TEA).tone(Tone::Ink)
            .fact("Water", "95 °C, 4 minutes").fact("Caffeine", "Plenty"),
        Item::new(Spice, "SPC-SUM", "Sumac", 420, 170).form(0)
            .text("Sour, dark red and a little salty: lemon for people who have run out of lemons, and better on fried eggs.")
            .tags(&["spice", "cooking"]).by("Size", SPICE).tone(Tone::Rose),
        Item::new(Tea, "TEA-HIB", "Red Hibiscus", 560, 120).form(2)
            .text("No tea at all, but the dried calyx of a flower: ruby in the glass, tart on the tongue, as good over ice as it is hot.")
            .tags(&["tea", "caffeine-free", "iced"]).by("Weight", TEA).tone(Tone::Rose)
            .fact("Water", "100 °C, 6 minutes").fact("Caffeine", "None"),
        Item::new(Spice, "SPC-ZAA", "Mountain Za’atar", 460, 170).form(1)
            .text("Wild thyme, sesame and sumac. Bread, oil, this: breakfast. Keep some back for the roast potatoes in the evening.")
            .tags(&["spice", "blend", "breakfast"]).by("Size", SPICE).tone(Tone::Olive)
            .fact("Contains", "Sesame"),
        Item::new(Teapot, "POT-CPR", "Copper Stove Kettle", 7_400, 1_300)
            .text("Copper outside, tin inside, and a whistle that carries to the end of the garden. It will go brown; polish it or be proud of it.")
            .tags(&["tea", "kitchen", "copper"]).tone(Tone::Clay).was(8_900)
            .fact("Capacity", "1.6 l").fact("Hob", "Gas and electric"),
        Item::new(Tea, "TEA-ROS", "Rose & Cardamom Black", 720, 120).form(0)
            .text("Whole pods and whole petals in a malty black tea. Smells like the good tin at a grandmother’s, tastes like the second cup.")
            .tags(&["tea", "black", "gift"]).by("Weight", TEA).tone(Tone::Plum)
            .fact("Water", "95 °C, 4 minutes").fact("Caffeine", "Plenty"),
        Item::new(Spice, "SPC-CUM", "Toasting Cumin", 380, 170).form(0)
            .text("Whole seeds that want ten seconds in a dry pan. You will know when: the whole house will.")
            .tags(&["spice", "cooking"]).by("Size", SPICE).tone(Tone::Saffron),
        Item::new(Spice, "SPC-BLM", "Black Lime Powder", 490, 170).form(2)
            .text("Limes boiled in brine, dried in the sun until they are black, and ground. Sour, dark and faintly smoky; a spoonful mends almost any stew.")
            .tags(&["spice", "cooking", "sour"]).by("Size", SPICE).tone(Tone::Teal),
        Item::new(Tea, "TEA-SAG", "Evening Sage", 590, 110).form(2)
            .text("Garden sage, lemon balm and a few orange petals, for the hour when coffee would be a mistake.")
            .tags(&["tea", "caffeine-free", "evening"]).by("Weight", TEA).tone(Tone::Sky)
            .fact("Water", "100 °C, 7 minutes").fact("Caffeine", "None"),
    ]
}

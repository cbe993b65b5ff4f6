//! Bags, paper, and things for the bath.

use super::{
    item::{Choice, Item, Kind::*},
    palette::Tone,
};

const RULING: &[Choice] = &[
    ("Plain", "PLN", 0),
    ("Lined", "LIN", 0),
    ("Dotted", "DOT", 0),
];
const SHOE_SIZES: &[Choice] = &[
    ("37", "37", 0),
    ("39", "39", 0),
    ("41", "41", 0),
    ("43", "43", 200),
];

pub(super) fn items() -> Vec<Item> {
    vec![
        Item::new(Tote, "BAG-MKT", "Market Day Tote", 2_850, 420).form(1)
            .text("Heavy cotton, webbing handles that reach over a coat, and a flat bottom so that the eggs stay upright. Woven in the colours of awnings.")
            .tags(&["cotton", "bag", "everyday"])
            .by("Colour", &[("Awning red", "RED", 0), ("Harbour blue", "BLU", 0), ("Olive", "OLV", 0)])
            .tone(Tone::Rose).fact("Volume", "18 l"),
        Item::new(Notebook, "NBK-STR", "Star Map Notebook", 1_250, 280).form(0)
            .text("A hundred and ninety-two pages that open flat and take ink without a ghost. The star on the cover is pressed, not printed: find it with your thumb in the dark.")
            .tags(&["paper", "desk", "gift"]).by("Ruling", RULING).tone(Tone::Indigo)
            .fact("Format", "A5").fact("Paper", "100 g/m²"),
        Item::new(Slippers, "SLP-BAB", "Soft Babouches", 3_600, 380)
            .text("Pointed, backless and quiet. Goat leather that remembers your foot after a week; until then, wear two pairs of socks or none.")
            .tags(&["leather", "shoes", "gift"])
            .by("Colour", &[("Saffron", "SAF", 0), ("Poppy", "POP", 0), ("Chalk", "CHK", 0)])
            .by("Size", SHOE_SIZES).tone(Tone::Saffron),
        Item::new(Soap, "SOP-LAU", "Aleppo-style Laurel Soap", 690, 190).form(0)
            .text("Olive oil and laurel, boiled for three days and dried for nine months until it is brown outside and green within. Lasts longer than you expect.")
            .tags(&["bath", "soap", "vegan"]).tone(Tone::Olive)
            .by("Laurel", &[("20 %", "20", 0), ("40 %", "40", 280)]).fact("Weight", "180 g"),
        Item::new(Satchel, "BAG-SCR", "Scribe’s Satchel", 11_900, 1_250).form(0)
            .text("Full-grain leather, two buckles, and a strap long enough to cross the street with. Takes a thirteen-inch computer, a loaf, and the years.")
            .tags(&["leather", "bag", "work"])
            .by("Colour", &[("Chestnut", "CHE", 0), ("Black", "BLK", 0)]).tone(Tone::Clay)
            .fact("Width", "36 cm"),
        Item::new(Towel, "TWL-HAM", "Hammam Towel", 2_400, 330).form(0)
            .text("A flat cotton weave that dries you at once and itself soon after. Towel, scarf, picnic cloth; the fringe is knotted by hand.")
            .tags(&["bath", "cotton", "beach"])
            .by("Stripe", &[("Sea", "SEA", 0), ("Rust", "RST", 0), ("Night", "NGT", 0)]).tone(Tone::Sky)
            .fact("Size", "90 × 180 cm"),
        Item::new(Notebook, "NBK-PKT", "Pocket Ledger", 780, 110).form(2)
            .text("Small enough to be with you when it occurs to you, and tough enough to be sat on afterwards. The corners are round already.")
            .tags(&["paper", "pocket"]).by("Ruling", RULING).tone(Tone::Sage)
            .fact("Format", "A6").fact("Paper", "90 g/m²"),
        Item::new(Soap, "SOP-ORG", "Orange Blossom Soap", 560, 120).form(1)
            .text("Cold-stirred with orange-flower water, and a pinch of clay so that it holds its edges. Smells like a tree, not like a sweet.")
            .tags(&["bath", "soap", "gift"]).tone(Tone::Saffron).fact("Weight", "110 g"),
        Item::new(Tote, "BAG-KIL", "Kilim Carryall", 6_900, 980).form(0)
            .text("Cut from rugs that were worn in the wrong place, lined and given new handles. No two are the same, so what you see is roughly what you get.")
            .tags(&["wool", "bag", "one of a kind"]).tone(Tone::Teal).was(7_800)
            .made_to_order().fact("Volume", "30 l"),
        Item::new(Notebook, "NBK-SKT", "Cedar Sketchbook", 1_890, 520).form(1)
            .text("Heavy cream paper that takes a wash, between two thin boards of real cedar. It makes the bag smell nice, too.")
            .tags(&["paper", "drawing"]).tone(Tone::Clay)
            .fact("Format", "21 × 21 cm").fact("Paper", "180 g/m²"),
        Item::new(Towel, "TWL-GST", "Guest Towel Pair", 1_650, 210).form(1)
            .text("Two small ones for the rail beside the basin, waffle-woven and thirsty. Guests fold them back, which says a lot.")
            .tags(&["bath", "cotton"]).tone(Tone::Plum).fact("Size", "40 × 60 cm").fact("Pieces", "2"),
        Item::new(Slippers, "SLP-FLT", "Felted Winter Slippers", 4_200, 460)
            .text("One piece of wool, no seam to find with your toes, and a sole of leather so that the stairs stay safe.")
            .tags(&["wool", "shoes", "winter"]).by("Size", SHOE_SIZES).tone(Tone::Ink),
        Item::new(Satchel, "BAG-MED", "Medina Crossbody", 5_400, 480).form(1)
            .text("Just telephone, purse and keys, and a flap that closes with a sound. The stamped border took someone all afternoon.")
            .tags(&["leather", "bag", "small"])
            .by("Colour", &[("Tan", "TAN", 0), ("Plum", "PLU", 0)]).tone(Tone::Plum).fact("Width", "22 cm"),
    ]
}

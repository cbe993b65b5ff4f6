//! The pictures: a niche in a wall, and in it the thing. Whole numbers and text, nothing else.

mod cloth;
mod kitchen;
mod light;
mod small;

use super::{
    item::{Item, Kind, hash},
    palette::{Palette, Tone},
};

/// What a drawing is made with: the colours, and a number that tells one thing from its kin.
struct Brush {
    colours: Palette,
    seed: u32,
    form: u32,
}

impl Brush {
    /// One of `count` ways to draw something.
    fn way(&self, count: u32) -> u32 {
        self.form % count
    }
}

/// The picture of an item.
pub(super) fn picture(item: &Item, handle: &str) -> String {
    let seed = hash(handle);
    let colours = item.tone.unwrap_or_else(|| Tone::pick(seed)).palette();
    let form = item.form.unwrap_or(seed / 10);
    let brush = Brush {
        colours,
        seed,
        form,
    };
    let thing = match item.kind {
        Kind::TableLamp => light::table_lamp(&brush),
        Kind::Lantern => light::lantern(&brush),
        Kind::Rug => cloth::rug(&brush),
        Kind::Towel => cloth::towel(&brush),
        Kind::Tote => cloth::tote(&brush),
        Kind::Satchel => cloth::satchel(&brush),
        Kind::Vase => kitchen::vase(&brush),
        Kind::Bowl => kitchen::bowl(&brush),
        Kind::Mug => kitchen::mug(&brush),
        Kind::Tagine => kitchen::tagine(&brush),
        Kind::Teapot => kitchen::teapot(&brush),
        Kind::Tea => small::tea(&brush),
        Kind::Spice => small::spice(&brush),
        Kind::Notebook => small::notebook(&brush),
        Kind::Soap => small::soap(&brush),
        Kind::Slippers => small::slippers(&brush),
    };
    let scene = match item.kind {
        // Seen from above, on the floor.
        Kind::Rug => floor(&brush),
        _ => niche(&brush),
    };
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 600" width="600" height="600" role="img">{}{scene}{thing}</svg>"##,
        shades(&brush)
    )
}

/// Gradients that every drawing may use.
fn shades(brush: &Brush) -> String {
    let Palette {
        wall, niche, light, ..
    } = brush.colours;
    format!(
        r##"<defs>
<radialGradient id="wall" cx=".4" cy=".3" r=".9"><stop offset="0" stop-color="{wall}"/><stop offset="1" stop-color="{niche}"/></radialGradient>
<linearGradient id="side" x1="0" x2="1" y1="0" y2="0"><stop offset="0" stop-color="#fff" stop-opacity=".3"/><stop offset=".35" stop-color="#fff" stop-opacity="0"/><stop offset="1" stop-color="#000" stop-opacity=".3"/></linearGradient>
<linearGradient id="fall" x1="0" x2="0" y1="0" y2="1"><stop offset="0" stop-color="#fff" stop-opacity=".25"/><stop offset="1" stop-color="#000" stop-opacity=".18"/></linearGradient>
<radialGradient id="glow"><stop offset="0" stop-color="{light}" stop-opacity=".95"/><stop offset="1" stop-color="{light}" stop-opacity="0"/></radialGradient>
<radialGradient id="shadow"><stop offset="0" stop-color="#000" stop-opacity=".35"/><stop offset="1" stop-color="#000" stop-opacity="0"/></radialGradient>
</defs>"##
    )
}

/// A wall with an arch, and a shelf before it.
fn niche(brush: &Brush) -> String {
    let Palette {
        niche,
        dark,
        light,
        main,
        ..
    } = brush.colours;
    format!(
        r##"<rect width="600" height="600" fill="url(#wall)"/>
<path d="M88 520V270C88 150 190 105 300 40C410 105 512 150 512 270V520Z" fill="{niche}" opacity=".75"/>
<path d="M104 520V274C104 164 200 120 300 60C400 120 496 164 496 274V520Z" fill="none" stroke="{light}" stroke-width="4" opacity=".8"/>
<path d="M0 512H600V600H0Z" fill="{main}" opacity=".22"/><path d="M0 512H600" stroke="{dark}" stroke-width="2" opacity=".25"/>
<ellipse cx="300" cy="524" rx="210" ry="26" fill="url(#shadow)"/>"##
    )
}

/// Tiles, seen from above.
fn floor(brush: &Brush) -> String {
    let Palette { niche, light, .. } = brush.colours;
    let mut tiles = r##"<rect width="600" height="600" fill="url(#wall)"/>"##.to_owned();
    for step in 0..=6 {
        let at = step * 100;
        tiles.push_str(&format!(
            r##"<path d="M{at} 0V600M0 {at}H600" stroke="{light}" stroke-width="4" opacity=".8"/>"##
        ));
        for other in 0..=6 {
            let y = other * 100;
            tiles.push_str(&format!(
                r##"<path d="M{} {y}L{at} {}L{} {y}L{at} {}Z" fill="{niche}" opacity=".7"/>"##,
                at - 14,
                y - 14,
                at + 14,
                y + 14
            ));
        }
    }
    tiles
}

/// An eight-pointed star: two squares, one turned.
fn star(x: i32, y: i32, size: i32, colour: &str) -> String {
    let (from, side) = (-size, 2 * size);
    format!(
        r##"<g transform="translate({x} {y})" fill="{colour}"><rect x="{from}" y="{from}" width="{side}" height="{side}"/><rect x="{from}" y="{from}" width="{side}" height="{side}" transform="rotate(45)"/></g>"##
    )
}

/// A diamond around a point.
fn diamond(x: i32, y: i32, wide: i32, high: i32, colour: &str) -> String {
    format!(
        r##"<path d="M{} {y}L{x} {}L{} {y}L{x} {}Z" fill="{colour}"/>"##,
        x - wide,
        y - high,
        x + wide,
        y + high
    )
}

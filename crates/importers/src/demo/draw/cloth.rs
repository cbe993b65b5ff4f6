//! Rugs, towels and bags.

use super::{Brush, diamond, star};
use crate::demo::palette::Palette;

pub(super) fn rug(brush: &Brush) -> String {
    let Palette {
        main,
        dark,
        accent,
        light,
        niche,
        ..
    } = brush.colours;
    let mut fringe = String::new();
    for thread in 0..30 {
        let x = 136 + thread * 11;
        fringe.push_str(&format!("M{x} 62V38M{x} 538V562"));
    }
    let field = match brush.way(3) {
        0 => lattice(brush),
        1 => stripes(brush),
        _ => medallion(brush),
    };
    let mut border = String::new();
    for step in 0..11 {
        let y = 92 + step * 42;
        border.push_str(&diamond(146, y, 10, 16, light));
        border.push_str(&diamond(454, y, 10, 16, light));
    }
    for step in 0..6 {
        let x = 188 + step * 45;
        border.push_str(&diamond(x, 82, 16, 10, light));
        border.push_str(&diamond(x, 518, 16, 10, light));
    }
    format!(
        r##"<rect x="132" y="74" width="348" height="488" fill="#000" opacity=".16"/><path d="{fringe}" stroke="{light}" stroke-width="4"/><path d="{fringe}" stroke="{niche}" stroke-width="1"/>
<rect x="124" y="58" width="352" height="484" fill="{dark}"/><rect x="130" y="66" width="340" height="468" fill="{accent}"/>{border}
<rect x="164" y="98" width="272" height="404" fill="{dark}"/><rect x="170" y="104" width="260" height="392" fill="{main}"/>
<svg x="170" y="104" width="260" height="392" viewBox="0 0 260 392">{field}</svg>
<rect x="124" y="58" width="352" height="484" fill="url(#fall)" opacity=".5"/>"##
    )
}

fn lattice(brush: &Brush) -> String {
    let Palette {
        dark,
        accent,
        light,
        ..
    } = brush.colours;
    let mut field = format!(r##"<rect width="260" height="392" fill="{light}"/>"##);
    for row in 0..6 {
        for column in 0..4 {
            let (x, y) = (column * 87, row * 78);
            field.push_str(&format!(
                r##"<path d="M{} {y}L{x} {}L{} {y}L{x} {}Z" fill="none" stroke="{dark}" stroke-width="6"/>"##,
                x - 43, y - 39, x + 43, y + 39
            ));
            let colour = if (row + column) % 2 == 0 {
                accent
            } else {
                dark
            };
            field.push_str(&diamond(x, y, 17, 15, colour));
            field.push_str(&diamond(x + 43, y + 39, 9, 8, accent));
        }
    }
    field
}

fn stripes(brush: &Brush) -> String {
    let Palette {
        main,
        dark,
        accent,
        light,
        niche,
        ..
    } = brush.colours;
    let colours = [light, main, accent, dark, niche, main, light];
    let mut field = String::new();
    for (i, colour) in colours.iter().cycle().take(14).enumerate() {
        let y = i as i32 * 28;
        field.push_str(&format!(
            r##"<rect y="{y}" width="260" height="28" fill="{colour}"/>"##
        ));
        let over = colours[(i + 2) % colours.len()];
        for step in 0..14 {
            let x = step * 20 + if i % 2 == 0 { 0 } else { 10 };
            match i % 3 {
                0 => field.push_str(&diamond(x, y + 14, 8, 10, over)),
                1 => field.push_str(&format!(
                    r##"<path d="M{} {}L{x} {}L{} {}Z" fill="{over}"/>"##,
                    x - 10,
                    y + 28,
                    y + 8,
                    x + 10,
                    y + 28
                )),
                _ => {}
            }
        }
    }
    field
}

fn medallion(brush: &Brush) -> String {
    let Palette {
        main,
        dark,
        accent,
        light,
        niche,
        ..
    } = brush.colours;
    let mut field = format!(r##"<rect width="260" height="392" fill="{main}"/>"##);
    for (x, y) in [(0, 0), (260, 0), (0, 392), (260, 392)] {
        for (size, colour) in [(112, dark), (98, accent), (80, niche), (56, main)] {
            field.push_str(&diamond(x, y, size, size, colour));
        }
    }
    for (size, colour) in [
        (128, dark),
        (118, light),
        (100, accent),
        (80, dark),
        (66, niche),
    ] {
        field.push_str(&diamond(130, 196, size, size * 5 / 4, colour));
    }
    field.push_str(&star(130, 196, 34, accent));
    field.push_str(&star(130, 196, 22, light));
    field.push_str(&star(130, 196, 10, dark));
    for (x, y) in [(130, 36), (130, 356), (30, 196), (230, 196)] {
        field.push_str(&star(x, y, 10, light));
    }
    field
}

pub(super) fn towel(brush: &Brush) -> String {
    let Palette {
        main,
        dark,
        accent,
        light,
        ..
    } = brush.colours;
    let mut towels = String::new();
    for (i, (y, base, band)) in [(398, main, light), (312, light, main), (226, accent, light)]
        .into_iter()
        .enumerate()
    {
        let x = 140 + i as i32 * 6;
        let width = 320 - i as i32 * 12;
        let mut stripes = String::new();
        for stripe in 0..7 {
            let at = x + 36 + stripe * 34;
            let thick = if stripe % 2 == brush.way(2) as i32 {
                14
            } else {
                5
            };
            stripes.push_str(&format!(
                r##"<rect x="{at}" y="{y}" width="{thick}" height="84" fill="{band}"/>"##
            ));
        }
        let mut fringe = String::new();
        for thread in 0..10 {
            fringe.push_str(&format!("M{} {}v14", x + width - 62 + thread * 6, y + 78));
        }
        towels.push_str(&format!(
            r##"<rect x="{x}" y="{y}" width="{width}" height="84" rx="26" fill="{base}"/><g opacity=".85">{stripes}</g><path d="M{} {}H{}" stroke="{dark}" stroke-width="2" opacity=".3"/><rect x="{x}" y="{y}" width="{width}" height="84" rx="26" fill="url(#fall)"/><path d="{fringe}" stroke="{base}" stroke-width="3"/>"##,
            x + 20, y + 42, x + width - 8
        ));
    }
    format!(
        r##"<g transform="translate(0 30)">{towels}<rect x="232" y="188" width="136" height="42" rx="12" fill="{light}"/><rect x="232" y="188" width="136" height="42" rx="12" fill="url(#fall)"/>{}</g>"##,
        star(300, 209, 10, accent)
    )
}

pub(super) fn tote(brush: &Brush) -> String {
    let Palette {
        main,
        dark,
        accent,
        light,
        ..
    } = brush.colours;
    let mut bands = String::new();
    for band in 0..5 {
        let y = 258 + band * 50;
        match (band as u32 + brush.way(2)) % 2 {
            0 => bands.push_str(&format!(r##"<rect x="120" y="{y}" width="360" height="26" fill="{accent}"/><rect x="120" y="{}" width="360" height="4" fill="{light}"/>"##, y + 34)),
            _ => (0..13).for_each(|step| {
                bands.push_str(&diamond(132 + step * 28, y + 13, 14, 18, light));
                bands.push_str(&diamond(132 + step * 28, y + 13, 6, 8, dark));
            }),
        }
    }
    let body = "M150 220H450L474 494C474 506 466 512 456 512H144C134 512 126 506 126 494Z";
    format!(
        r##"<clipPath id="bag"><path d="{body}"/></clipPath>
<path d="M222 236V150C222 76 378 76 378 150V236" fill="none" stroke="{dark}" stroke-width="17"/>
<path d="{body}" fill="{main}"/><g clip-path="url(#bag)">{bands}</g><path d="{body}" fill="url(#side)"/>
<path d="M148 220H452L454 246H146Z" fill="{dark}"/><path d="M222 262V150C222 92 378 92 378 150V262" fill="none" stroke="{light}" stroke-width="17" opacity=".96"/><path d="M222 262V150C222 92 378 92 378 150V262" fill="none" stroke="{dark}" stroke-width="2" stroke-dasharray="7 6" opacity=".5"/>
<path d="M211 240H233V276H211ZM367 240H389V276H367Z" fill="{light}"/>
<path d="M416 246V300" stroke="{accent}" stroke-width="5"/><path d="M404 298H428L436 372H396Z" fill="{accent}"/><path d="M402 318H430" stroke="{light}" stroke-width="5"/>"##
    )
}

pub(super) fn satchel(brush: &Brush) -> String {
    let Palette {
        main,
        dark,
        accent,
        light,
        ..
    } = brush.colours;
    let mut stamped = String::new();
    for step in 0..10 {
        stamped.push_str(&star(156 + step * 32, 392, 7, accent));
    }
    let buckles = match brush.way(2) {
        0 => [206, 394].map(|x| buckle(x, dark, accent)).concat(),
        _ => buckle(300, dark, accent),
    };
    format!(
        r##"<path d="M146 262C120 60 480 60 454 262" fill="none" stroke="{dark}" stroke-width="16"/><path d="M146 262C120 60 480 60 454 262" fill="none" stroke="{light}" stroke-width="2" stroke-dasharray="8 7" opacity=".6"/>
<rect x="116" y="240" width="368" height="272" rx="30" fill="{dark}"/><rect x="122" y="246" width="356" height="260" rx="26" fill="{main}"/><rect x="122" y="246" width="356" height="260" rx="26" fill="url(#fall)"/>
<path d="M112 262C112 236 128 226 150 226H450C472 226 488 236 488 262V382C488 410 452 426 420 426H180C148 426 112 410 112 382Z" fill="{main}"/><path d="M112 262C112 236 128 226 150 226H450C472 226 488 236 488 262V382C488 410 452 426 420 426H180C148 426 112 410 112 382Z" fill="url(#side)"/>
<path d="M124 264C124 246 136 238 152 238H448C464 238 476 246 476 264V378C476 402 446 414 418 414H182C154 414 124 402 124 378Z" fill="none" stroke="{light}" stroke-width="2.5" stroke-dasharray="9 7" opacity=".75"/>
<g opacity=".75">{stamped}</g>{}{}{buckles}"##,
        star(300, 310, 40, dark),
        star(300, 310, 30, accent)
    )
}

fn buckle(x: i32, dark: &str, accent: &str) -> String {
    format!(
        r##"<rect x="{}" y="330" width="32" height="136" rx="8" fill="{dark}"/><rect x="{}" y="424" width="48" height="38" rx="6" fill="none" stroke="{accent}" stroke-width="8"/><rect x="{}" y="424" width="6" height="38" fill="{accent}"/>"##,
        x - 16,
        x - 24,
        x - 3
    )
}

//! Lamps and lanterns.

use super::{Brush, diamond, star};
use crate::demo::palette::Palette;

pub(super) fn table_lamp(brush: &Brush) -> String {
    let Palette {
        main,
        dark,
        accent,
        light,
        ..
    } = brush.colours;
    let foot = match brush.way(2) {
        0 => format!(
            r##"<path id="f" d="M262 338C200 360 184 420 206 468C216 492 240 512 300 512C360 512 384 492 394 468C416 420 400 360 338 338Z" fill="{main}"/><path d="M262 338C200 360 184 420 206 468C216 492 240 512 300 512C360 512 384 492 394 468C416 420 400 360 338 338Z" fill="url(#side)"/><path d="M196 420C230 440 370 440 404 420" fill="none" stroke="{accent}" stroke-width="8"/><path d="M194 436C230 458 370 458 406 436" fill="none" stroke="{light}" stroke-width="3" opacity=".8"/>"##
        ),
        _ => format!(
            r##"<path d="M286 330H314V370C332 376 332 394 314 400V440C336 446 336 466 318 472V492H282V472C264 466 264 446 286 440V400C268 394 268 376 286 370Z" fill="{main}"/><path d="M286 330H314V370C332 376 332 394 314 400V440C336 446 336 466 318 472V492H282V472C264 466 264 446 286 440V400C268 394 268 376 286 370Z" fill="url(#side)"/><path d="M216 512C220 492 250 486 300 486C350 486 380 492 384 512Z" fill="{dark}"/><path d="M216 512C220 492 250 486 300 486C350 486 380 492 384 512Z" fill="url(#side)"/>"##
        ),
    };
    let shade = "M222 160H378L438 322H162Z";
    format!(
        r##"<circle cx="300" cy="250" r="250" fill="url(#glow)"/>{foot}
<path d="M292 316H308V344H292Z" fill="{accent}"/><path d="{shade}" fill="{light}"/><path d="{shade}" fill="{accent}" opacity=".32"/>
<path d="M260 160L236 322M300 160V322M340 160L364 322" stroke="{dark}" stroke-width="1.5" opacity=".18"/>
<path d="{shade}" fill="url(#side)" opacity=".7"/><path d="M222 160H378L382 172H218Z" fill="{main}"/><path d="M167 310L162 322H438L433 310Z" fill="{main}"/>
<ellipse cx="300" cy="322" rx="138" ry="9" fill="#fff" opacity=".55"/>"##
    )
}

pub(super) fn lantern(brush: &Brush) -> String {
    match brush.way(2) {
        0 => hanging(brush),
        _ => standing(brush),
    }
}

/// A dome and a body of pierced metal on a chain.
fn hanging(brush: &Brush) -> String {
    let Palette {
        main,
        dark,
        accent,
        light,
        ..
    } = brush.colours;
    let mut pierced = String::new();
    for (row, y) in [(0, 268), (1, 314), (2, 360)] {
        for column in -2..=2 {
            let x = 300 + column * (46 - (row - 1i32).abs() * 4);
            pierced.push_str(&star(x, y, 12, light));
            pierced.push_str(&star(x, y, 5, accent));
        }
    }
    let body = "M188 228H412L430 316L386 412H214L170 316Z";
    format!(
        r##"<circle cx="300" cy="310" r="270" fill="url(#glow)"/>
<path d="M300 0V96" stroke="{dark}" stroke-width="6" stroke-dasharray="14 5"/><circle cx="300" cy="104" r="13" fill="none" stroke="{dark}" stroke-width="6"/>
<path d="M286 116H314L318 136C372 150 404 184 416 228H184C196 184 228 150 282 136Z" fill="{main}"/><path d="M286 116H314L318 136C372 150 404 184 416 228H184C196 184 228 150 282 136Z" fill="url(#side)"/>
<path d="{body}" fill="{main}"/><path d="{body}" fill="{dark}" opacity=".25"/>{pierced}<path d="{body}" fill="url(#side)" opacity=".8"/>
<path d="M176 220H424V236H176Z" fill="{dark}"/><path d="M206 406H394V420H206Z" fill="{dark}"/>
<path d="M224 420H376C366 456 332 474 300 480C268 474 234 456 224 420Z" fill="{main}"/><path d="M224 420H376C366 456 332 474 300 480C268 474 234 456 224 420Z" fill="url(#side)"/>
<circle cx="300" cy="490" r="11" fill="{dark}"/>"##
    )
}

/// Coloured panes in a frame, with a candle.
fn standing(brush: &Brush) -> String {
    let Palette {
        main,
        dark,
        accent,
        light,
        niche,
        ..
    } = brush.colours;
    let mut panes = String::new();
    for row in 0..3 {
        for column in 0..3 {
            let (x, y) = (242 + column * 58, 268 + row * 72);
            let colour = [accent, niche, main][((row * 2 + column) % 3) as usize];
            panes.push_str(&diamond(x, y, 27, 34, colour));
        }
    }
    format!(
        r##"<circle cx="300" cy="350" r="230" fill="url(#glow)"/>
<path d="M262 112C262 60 338 60 338 112" fill="none" stroke="{dark}" stroke-width="9"/>
<path d="M280 108H320L330 132L404 212H196L270 132Z" fill="{dark}"/><path d="M280 108H320L330 132L404 212H196L270 132Z" fill="url(#side)"/>
<rect x="208" y="212" width="184" height="272" fill="{light}" opacity=".55"/>
<g opacity=".9">{panes}</g>
<rect x="276" y="380" width="48" height="104" rx="6" fill="#fffdf4" opacity=".92"/><path d="M300 380V366" stroke="{dark}" stroke-width="3"/><path d="M300 320C322 350 316 370 300 370C284 370 278 350 300 320Z" fill="#ffd36b"/><path d="M300 340C310 356 308 368 300 368C292 368 290 356 300 340Z" fill="#fff6d8"/>
<path d="M208 212V484M392 212V484M269 212V484M331 212V484M208 304H392M208 376H392" stroke="{dark}" stroke-width="6" fill="none"/>
<path d="M190 204H410V222H190Z" fill="{dark}"/><path d="M184 480H416V512H184Z" fill="{dark}"/><path d="M184 480H416V512H184Z" fill="url(#side)"/>"##
    )
}

//! What stands on the table.

use super::{Brush, diamond, star};
use crate::demo::palette::Palette;

pub(super) fn vase(brush: &Brush) -> String {
    let Palette {
        main,
        dark,
        accent,
        light,
        ..
    } = brush.colours;
    let body = match brush.way(2) {
        0 => {
            "M262 196H338L330 250C386 276 412 330 400 400C392 454 364 512 344 512H256C236 512 208 454 200 400C188 330 214 276 270 250Z"
        }
        _ => {
            "M256 190H344L336 236C372 290 392 340 376 420L352 512H248L224 420C208 340 228 290 264 236Z"
        }
    };
    let mut band = String::new();
    for step in 0..16 {
        let x = 180 + step * 16;
        band.push_str(&format!("M{x} 400l8 -22l8 22Z"));
    }
    let mut sprigs = String::new();
    for (stem, leaves) in [
        (
            "M296 210C280 150 240 120 206 70",
            [(282, 166, -50), (256, 134, -20), (232, 104, -60)],
        ),
        (
            "M302 210C304 150 312 100 330 36",
            [(304, 150, 40), (310, 108, -30), (320, 70, 50)],
        ),
        (
            "M306 210C330 160 366 140 410 96",
            [(326, 174, 10), (356, 146, 50), (386, 118, 5)],
        ),
    ] {
        sprigs.push_str(&format!(
            r##"<path d="{stem}" fill="none" stroke="{dark}" stroke-width="5"/>"##
        ));
        for (x, y, turn) in leaves {
            sprigs.push_str(&format!(
                r##"<g transform="translate({x} {y}) rotate({turn})" fill="#6f8a58"><ellipse cx="0" cy="-20" rx="9" ry="22"/><ellipse cx="0" cy="20" rx="9" ry="22"/></g>"##
            ));
        }
    }
    format!(
        r##"{sprigs}<clipPath id="vase"><path d="{body}"/></clipPath><path d="{body}" fill="{main}"/>
<g clip-path="url(#vase)"><rect x="180" y="300" width="240" height="10" fill="{light}"/><rect x="180" y="318" width="240" height="5" fill="{light}"/><path d="{band}" fill="{light}"/><rect x="180" y="402" width="240" height="16" fill="{accent}"/><rect x="180" y="426" width="240" height="5" fill="{light}"/><rect x="180" y="340" width="240" height="8" fill="{accent}"/></g>
<path d="{body}" fill="url(#side)"/><ellipse cx="300" cy="194" rx="42" ry="9" fill="{dark}"/>"##
    )
}

pub(super) fn bowl(brush: &Brush) -> String {
    let Palette {
        main, light, niche, ..
    } = brush.colours;
    match brush.way(3) {
        0 => one_bowl(
            brush,
            LEMONS,
            |x| format!(r##"<path d="M{x} 344l17 44l17 -44Z" fill="{main}"/>"##),
            light,
        ),
        1 => {
            let small = one_bowl(brush, OLIVES, |x| diamond(x + 17, 366, 15, 26, main), light);
            let other = one_bowl(brush, "", |x| star(x + 17, 366, 10, main), niche);
            format!(
                r##"<g transform="translate(240 174) scale(.66)">{other}</g><g transform="translate(0 112) scale(.78)">{small}</g>"##
            )
        }
        _ => one_bowl(brush, LEAVES, |x| speckles(x, brush.seed, main), light),
    }
}

const LEMONS: &str = r##"<circle cx="238" cy="276" r="44" fill="#f2c230"/><circle cx="322" cy="258" r="50" fill="#f5cf4c"/><circle cx="396" cy="280" r="40" fill="#e8862e"/><path d="M322 210q16 -26 40 -22q-8 26 -40 22" fill="#5f7f4a"/><circle cx="224" cy="262" r="11" fill="#fff" opacity=".4"/><circle cx="304" cy="238" r="13" fill="#fff" opacity=".4"/>"##;
const OLIVES: &str = r##"<g fill="#5d6b2f"><circle cx="190" cy="282" r="30"/><circle cx="256" cy="270" r="32"/><circle cx="330" cy="272" r="32"/><circle cx="400" cy="284" r="30"/></g><g fill="#3d2436"><circle cx="222" cy="290" r="28"/><circle cx="292" cy="286" r="30"/><circle cx="366" cy="290" r="28"/></g><g fill="#fff" opacity=".35"><circle cx="246" cy="258" r="8"/><circle cx="320" cy="262" r="8"/><circle cx="284" cy="276" r="7"/></g>"##;
const LEAVES: &str = r##"<g fill="#7fa05a"><path d="M150 300C130 240 190 220 220 250C240 210 300 210 300 256C330 200 390 220 380 262C420 236 460 260 450 300Z"/></g><g fill="#5f8046"><path d="M190 300C190 260 240 256 256 284C280 250 330 256 330 288C360 256 410 266 412 300Z"/></g><g fill="#c8422e"><circle cx="232" cy="266" r="17"/><circle cx="356" cy="262" r="19"/><circle cx="300" cy="280" r="15"/></g><circle cx="350" cy="256" r="5" fill="#fff" opacity=".5"/>"##;

fn speckles(x: i32, seed: u32, colour: &str) -> String {
    (0..6).fold(String::new(), |spots, i| {
        let place = seed
            .wrapping_mul(17)
            .wrapping_add((x as u32 + i * 131) * 7_919);
        let (right, down) = ((place >> 4) % 34, (place >> 12) % 150);
        spots
            + &format!(
                r##"<circle cx="{}" cy="{}" r="{}" fill="{colour}" opacity=".7"/>"##,
                x + right as i32,
                350 + down,
                1 + i % 4
            )
    })
}

/// A bowl with something in it and a pattern around it.
fn one_bowl(brush: &Brush, content: &str, pattern: impl Fn(i32) -> String, ground: &str) -> String {
    let Palette {
        main, dark, accent, ..
    } = brush.colours;
    let front = "M96 300C96 344 504 344 504 300C504 412 424 492 356 498L364 512H236L244 498C176 492 96 412 96 300Z";
    let around = (0..13)
        .map(|step| pattern(90 + step * 34))
        .collect::<String>();
    let clip = format!("bowl{}", content.len());
    format!(
        r##"<clipPath id="{clip}"><path d="{front}"/></clipPath><ellipse cx="300" cy="300" rx="204" ry="36" fill="{dark}"/>{content}
<path d="{front}" fill="{ground}"/><g clip-path="url(#{clip})">{around}<path d="M96 306C96 350 504 350 504 306" fill="none" stroke="{main}" stroke-width="9"/><rect x="90" y="440" width="420" height="8" fill="{accent}"/><rect x="90" y="456" width="420" height="60" fill="{main}"/></g><path d="{front}" fill="url(#side)"/>"##
    )
}

pub(super) fn mug(brush: &Brush) -> String {
    match brush.way(2) {
        0 => cup(brush, true),
        _ => format!(
            r##"<g transform="translate(60 236) scale(.54)">{}</g><g transform="translate(216 236) scale(.54)">{}</g><g transform="translate(138 101) scale(.54)">{}</g>"##,
            cup(brush, false),
            cup(brush, false),
            cup(brush, false)
        ),
    }
}

fn cup(brush: &Brush, large: bool) -> String {
    let Palette {
        main,
        dark,
        accent,
        light,
        ..
    } = brush.colours;
    let drip = "M166 250C166 282 434 282 434 250V330C424 356 408 356 400 334C390 318 376 322 370 346C362 384 338 384 332 350C326 330 310 330 302 348C292 372 272 370 266 344C258 322 240 324 234 340C222 366 196 362 188 336C182 326 172 326 166 318Z";
    let body = "M166 250C166 282 434 282 434 250L420 484C418 504 408 512 390 512H210C192 512 182 504 180 484Z";
    // Small ones have no handle, and are too small to steam.
    let handle = format!(
        r##"<path d="M428 300C520 290 520 440 418 436" fill="none" stroke="{dark}" stroke-width="34"/><path d="M428 300C512 292 512 434 418 432" fill="none" stroke="{main}" stroke-width="26"/><g fill="none" stroke="#fff" stroke-width="10" stroke-linecap="round" opacity=".75"><path d="M250 214C230 186 270 170 250 136"/><path d="M304 204C282 172 326 152 304 112"/><path d="M356 214C336 186 376 170 356 136"/></g>"##
    );
    let handle = if large { handle } else { String::new() };
    format!(
        r##"{handle}<ellipse cx="300" cy="250" rx="134" ry="24" fill="{dark}"/><ellipse cx="300" cy="254" rx="116" ry="17" fill="#4b2a17"/>
<path d="{body}" fill="{light}"/><path d="{drip}" fill="{main}"/><path d="M176 420H424L422 440H178Z" fill="{accent}" opacity=".9"/><path d="M178 450H422L421 456H178Z" fill="{main}"/>
<path d="{body}" fill="url(#side)"/><path d="M206 300C204 360 208 420 214 470" stroke="#fff" stroke-width="9" stroke-linecap="round" opacity=".35" fill="none"/>"##
    )
}

pub(super) fn tagine(brush: &Brush) -> String {
    let Palette {
        main,
        dark,
        accent,
        light,
        ..
    } = brush.colours;
    let lid = "M268 116C260 92 276 76 300 76C324 76 340 92 332 116C332 130 326 136 326 146C350 250 420 340 462 410H138C180 340 250 250 274 146C274 136 268 130 268 116Z";
    let mut band = String::new();
    for step in 0..11 {
        let x = 150 + step * 30;
        band.push_str(&diamond(x, 366, 13, 16, light));
        band.push_str(&diamond(x, 366, 5, 7, dark));
    }
    format!(
        r##"<g fill="none" stroke="#fff" stroke-width="9" stroke-linecap="round" opacity=".7"><path d="M150 330C128 296 170 276 148 240"/><path d="M452 330C430 296 472 276 450 240"/></g>
<clipPath id="lid"><path d="{lid}"/></clipPath><path d="{lid}" fill="{main}"/>
<g clip-path="url(#lid)"><path d="M100 336H500V340H100ZM100 392H500V398H100Z" fill="{light}"/>{band}<path d="M200 220C260 236 340 236 400 220V238C340 254 260 254 200 238Z" fill="{accent}"/><path d="M200 252C260 268 340 268 400 252V258C340 274 260 274 200 258Z" fill="{light}"/></g>
<path d="{lid}" fill="url(#side)"/>
<path d="M104 408H496C500 408 502 414 500 420C488 470 440 506 392 512H208C160 506 112 470 100 420C98 414 100 408 104 408Z" fill="{dark}"/><path d="M108 424H492C476 472 436 500 392 506H208C164 500 124 472 108 424Z" fill="{main}"/><path d="M104 408H496C500 408 502 414 500 420C488 470 440 506 392 512H208C160 506 112 470 100 420C98 414 100 408 104 408Z" fill="url(#side)"/>
<path d="M128 452H472" stroke="{light}" stroke-width="5" stroke-dasharray="16 12" opacity=".85"/>"##
    )
}

pub(super) fn teapot(brush: &Brush) -> String {
    let Palette {
        main,
        dark,
        accent,
        light,
        ..
    } = brush.colours;
    let body = "M222 262C160 300 150 400 196 470L214 512H386L404 470C450 400 440 300 378 262Z";
    let lid = "M228 262C236 206 268 186 288 178C280 164 286 150 300 150C314 150 320 164 312 178C332 186 364 206 372 262Z";
    let mut beads = String::new();
    for step in 0..9 {
        beads.push_str(&star(188 + step * 28, 392, 8, light));
    }
    format!(
        r##"<path d="M196 410C130 400 150 300 92 262C84 256 74 262 66 258L60 240C96 232 132 250 150 290C160 316 174 330 206 336Z" fill="{main}"/><path d="M196 410C130 400 150 300 92 262C84 256 74 262 66 258L60 240C96 232 132 250 150 290C160 316 174 330 206 336Z" fill="url(#fall)"/>
<path d="M384 282C520 250 540 430 410 440" fill="none" stroke="{dark}" stroke-width="26"/><path d="M384 282C510 254 530 424 410 436" fill="none" stroke="{accent}" stroke-width="10" stroke-dasharray="14 8"/>
<path d="{lid}" fill="{main}"/><path d="{lid}" fill="url(#side)"/><path d="{body}" fill="{main}"/>
<clipPath id="pot"><path d="{body}"/></clipPath><g clip-path="url(#pot)"><path d="M150 366H450V418H150Z" fill="{dark}" opacity=".4"/>{beads}<path d="M150 360H450V366H150ZM150 418H450V424H150Z" fill="{accent}"/></g>
<path d="{body}" fill="url(#side)"/><path d="M214 254H386V270H214Z" fill="{accent}"/><path d="M214 254H386V270H214Z" fill="url(#side)"/>
<path d="M214 320C204 356 206 430 224 470" stroke="#fff" stroke-width="11" stroke-linecap="round" opacity=".4" fill="none"/><path d="M206 500H394L398 514H202Z" fill="{dark}"/>"##
    )
}

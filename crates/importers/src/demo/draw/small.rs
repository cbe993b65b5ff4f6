//! Tins, jars, paper, soap and slippers.

use super::{Brush, diamond, star};
use crate::demo::palette::Palette;

pub(super) fn tea(brush: &Brush) -> String {
    let Palette {
        main,
        dark,
        accent,
        light,
        ..
    } = brush.colours;
    let mut pattern = String::new();
    for row in 0..7 {
        for column in 0..5 {
            let (x, y) = (182 + column * 59, 222 + row * 46);
            match brush.way(3) {
                0 => pattern.push_str(&star(x, y, 9, accent)),
                1 => pattern.push_str(&diamond(x, y, 24, 19, accent)),
                _ => pattern.push_str(&format!(r##"<circle cx="{x}" cy="{y}" r="18" fill="none" stroke="{accent}" stroke-width="5"/>"##)),
            }
        }
    }
    let leaf = r##"<path d="M0 -42C30 -22 30 16 0 38C-30 16 -30 -22 0 -42Z"/>"##;
    format!(
        r##"<clipPath id="tin"><path d="M176 196H424V496C424 506 416 512 406 512H194C184 512 176 506 176 496Z"/></clipPath>
<path d="M176 196H424V496C424 506 416 512 406 512H194C184 512 176 506 176 496Z" fill="{main}"/><g clip-path="url(#tin)" opacity=".55">{pattern}</g>
<ellipse cx="300" cy="366" rx="92" ry="104" fill="{dark}"/><ellipse cx="300" cy="366" rx="84" ry="96" fill="{light}"/><ellipse cx="300" cy="366" rx="74" ry="86" fill="none" stroke="{accent}" stroke-width="3"/>
<g fill="#6f8a58" transform="translate(300 366)"><g transform="translate(0 -14)">{leaf}</g><g transform="translate(-28 16) rotate(-52) scale(.8)">{leaf}</g><g transform="translate(28 16) rotate(52) scale(.8)">{leaf}</g></g><path d="M300 330V424" stroke="{dark}" stroke-width="4"/>
<path d="M176 196H424V496C424 506 416 512 406 512H194C184 512 176 506 176 496Z" fill="url(#side)"/>
<path d="M168 150C168 118 432 118 432 150V206H168Z" fill="{dark}"/><path d="M168 150C168 118 432 118 432 150V206H168Z" fill="url(#side)"/><path d="M168 186H432V194H168Z" fill="{accent}"/><ellipse cx="300" cy="120" rx="22" ry="14" fill="{accent}"/>"##
    )
}

pub(super) fn spice(brush: &Brush) -> String {
    let Palette {
        main,
        dark,
        accent,
        light,
        ..
    } = brush.colours;
    let label = label(brush);
    let jar = "M206 214H394C398 234 420 240 424 268V484C424 502 412 512 396 512H204C188 512 176 502 176 484V268C180 240 202 234 206 214Z";
    let grains = (0..60).fold(String::new(), |mut grains, i| {
        // Scattered, but always the same.
        let place = brush.seed.wrapping_mul(31).wrapping_add(i * 7_919);
        let (x, y) = (182 + (place >> 3) % 236, 292 + (place >> 11) % 214);
        let colour = [dark, accent, light][(place >> 5) as usize % 3];
        grains.push_str(&format!(
            r##"<circle cx="{x}" cy="{y}" r="{}" fill="{colour}"/>"##,
            2 + i % 3
        ));
        grains
    });
    format!(
        r##"<clipPath id="jar"><path d="{jar}"/></clipPath><path d="{jar}" fill="#fff" opacity=".55"/>
<g clip-path="url(#jar)"><path d="M170 300C230 276 270 306 320 288C360 274 400 296 430 284V520H170Z" fill="{main}"/><g opacity=".6">{grains}</g></g>
<path d="{jar}" fill="none" stroke="#fff" stroke-width="6" opacity=".8"/><path d="{jar}" fill="url(#side)" opacity=".6"/>
<path d="M210 146H390L384 222H216Z" fill="#c79a66"/><path d="M210 146H390L384 222H216Z" fill="url(#side)"/><path d="M228 160h4M262 182h4M300 162h4M340 190h4M366 166h4M246 204h4M318 206h4" stroke="#8a6238" stroke-width="6" stroke-linecap="round"/>
{label}
<path d="M428 512C446 488 476 474 506 480C534 486 552 500 560 512Z" fill="{main}"/><path d="M428 512C446 488 476 474 506 480C534 486 552 500 560 512Z" fill="url(#fall)"/><path d="M196 262C188 330 190 420 194 478" stroke="#fff" stroke-width="8" stroke-linecap="round" opacity=".6" fill="none"/>"##
    )
}

/// What is stuck on a jar, or tied to it.
fn label(brush: &Brush) -> String {
    let Palette {
        dark,
        accent,
        light,
        ..
    } = brush.colours;
    let sign = |x, y| star(x, y, 24, accent) + &star(x, y, 11, light);
    match brush.way(3) {
        0 => format!(
            r##"<rect x="196" y="340" width="208" height="116" rx="8" fill="{light}"/><rect x="204" y="348" width="192" height="100" rx="5" fill="none" stroke="{dark}" stroke-width="2.5"/>{}<path d="M232 428H368" stroke="{dark}" stroke-width="5" stroke-linecap="round" opacity=".75"/>"##,
            sign(300, 386)
        ),
        1 => format!(
            r##"<circle cx="300" cy="390" r="78" fill="{light}"/><circle cx="300" cy="390" r="68" fill="none" stroke="{dark}" stroke-width="2.5" stroke-dasharray="7 5"/>{}<path d="M262 428H338" stroke="{dark}" stroke-width="5" stroke-linecap="round" opacity=".75"/>"##,
            sign(300, 382)
        ),
        _ => format!(
            r##"<path d="M206 226C240 244 360 244 394 226" fill="none" stroke="{accent}" stroke-width="7"/><path d="M300 238L292 290" stroke="{accent}" stroke-width="4"/><g transform="rotate(8 292 290)"><path d="M292 280L338 322V436H246V322Z" fill="{light}"/><path d="M292 292L330 326V428H254V326Z" fill="none" stroke="{dark}" stroke-width="2.5"/><circle cx="292" cy="308" r="7" fill="{dark}"/>{}<path d="M268 410H316" stroke="{dark}" stroke-width="5" stroke-linecap="round" opacity=".75"/></g>"##,
            sign(292, 362)
        ),
    }
}

pub(super) fn notebook(brush: &Brush) -> String {
    let Palette {
        main,
        dark,
        accent,
        light,
        ..
    } = brush.colours;
    let cover = match brush.way(3) {
        0 => (0..6).fold(star(314, 300, 62, accent), |cover, ring| {
            let size = [50, 40, 31, 22, 14, 6][ring];
            cover + &star(314, 300, size, if ring % 2 == 0 { main } else { accent })
        }),
        1 => {
            let mut cover = String::new();
            for row in 0..7 {
                for column in 0..4 {
                    cover.push_str(&diamond(206 + column * 58, 138 + row * 58, 22, 22, accent));
                    cover.push_str(&diamond(206 + column * 58, 138 + row * 58, 10, 10, light));
                }
            }
            cover
        }
        _ => (0..9).fold(String::new(), |cover, line| {
            let y = 110 + line * 46;
            cover + &format!(r##"<path d="M150 {y}Q190 {} 230 {y}T310 {y}T390 {y}T470 {y}" fill="none" stroke="{accent}" stroke-width="7"/>"##, y - 34)
        }),
    };
    format!(
        r##"<g transform="rotate(-7 300 310)"><rect x="168" y="96" width="304" height="424" rx="12" fill="#000" opacity=".18"/>
<rect x="160" y="92" width="300" height="420" rx="10" fill="{dark}"/><path d="M176 100H456V508H176Z" fill="#fffaf0"/><path d="M176 496H456M176 502H456M450 100V508M454 100V508" stroke="{dark}" stroke-width="1" opacity=".35"/>
<clipPath id="book"><rect x="150" y="84" width="298" height="416" rx="10"/></clipPath><rect x="150" y="84" width="298" height="416" rx="10" fill="{main}"/><g clip-path="url(#book)">{cover}<rect x="150" y="84" width="34" height="416" fill="{dark}" opacity=".45"/></g><rect x="150" y="84" width="298" height="416" rx="10" fill="url(#side)" opacity=".7"/>
<rect x="404" y="82" width="12" height="422" fill="{dark}"/><path d="M250 500V548L262 536L274 548V500Z" fill="{accent}"/></g>
<g transform="rotate(24 500 420)"><rect x="488" y="236" width="22" height="230" rx="4" fill="{accent}"/><rect x="488" y="236" width="22" height="230" rx="4" fill="url(#side)"/><path d="M488 466H510L499 504Z" fill="#ecd3a6"/><path d="M495 490H503L499 504Z" fill="{dark}"/><rect x="488" y="226" width="22" height="24" rx="5" fill="{light}"/></g>"##
    )
}

pub(super) fn soap(brush: &Brush) -> String {
    let Palette {
        main,
        dark,
        accent,
        light,
        niche,
        ..
    } = brush.colours;
    let bar = |x: i32, y: i32, turn: i32, colour: &str| {
        format!(
            r##"<g transform="translate({x} {y}) rotate({turn})"><rect x="-118" y="-52" width="236" height="104" rx="22" fill="{colour}"/><rect x="-118" y="-52" width="236" height="104" rx="22" fill="url(#fall)"/><rect x="-100" y="-36" width="200" height="72" rx="14" fill="none" stroke="#fff" stroke-width="3" opacity=".45"/>{}{}</g>"##,
            star(0, 0, 22, "#00000033"),
            star(0, 0, 13, colour)
        )
    };
    let bubbles = [(132, 420, 26), (470, 300, 18), (446, 214, 30), (170, 250, 16), (500, 424, 14), (210, 190, 10)]
        .map(|(x, y, r)| {
            format!(r##"<circle cx="{x}" cy="{y}" r="{r}" fill="#fff" opacity=".45"/><circle cx="{x}" cy="{y}" r="{r}" fill="none" stroke="#fff" stroke-width="2.5"/><circle cx="{}" cy="{}" r="{}" fill="#fff"/>"##, x - r / 3, y - r / 3, r / 5)
        })
        .concat();
    let wrap = match brush.way(2) {
        0 => format!(
            r##"<g transform="translate(300 350) rotate(-4)"><rect x="-40" y="-54" width="80" height="108" fill="{light}"/><rect x="-40" y="-54" width="80" height="108" fill="url(#fall)"/>{}<path d="M-26 34H26" stroke="{dark}" stroke-width="4"/></g>"##,
            star(0, -8, 20, accent)
        ),
        _ => format!(
            r##"<g transform="translate(300 350) rotate(-4)"><path d="M-118 -6H118V6H-118ZM-8 -52H8V52H-8Z" fill="{accent}"/><path d="M0 0C-50 -44 -66 4 0 0C66 4 50 -44 0 0" fill="none" stroke="{accent}" stroke-width="9"/></g>"##
        ),
    };
    format!(
        r##"<path d="M110 486C110 470 490 470 490 486C490 506 440 514 300 514C160 514 110 506 110 486Z" fill="{dark}"/><path d="M110 482C110 466 490 466 490 482C490 498 440 504 300 504C160 504 110 498 110 482Z" fill="{niche}"/>
{}{}{wrap}{}{bubbles}"##,
        bar(300, 440, 0, main),
        bar(300, 350, -4, accent_or(main, niche, brush.way(2))),
        bar(306, 262, 5, main)
    )
}

/// The middle bar is of another colour in one of two ways.
fn accent_or<'a>(main: &'a str, niche: &'a str, way: u32) -> &'a str {
    if way == 0 { niche } else { main }
}

pub(super) fn slippers(brush: &Brush) -> String {
    let Palette {
        main,
        dark,
        accent,
        light,
        ..
    } = brush.colours;
    let one = |x: i32, turn: i32| {
        format!(
            r##"<g transform="translate({x} 300) rotate({turn})"><path d="M0 -214C20 -196 84 -120 84 -10C84 60 66 96 64 140C62 196 34 208 0 208C-34 208 -62 196 -64 140C-66 96 -84 60 -84 -10C-84 -120 -20 -196 0 -214Z" fill="{dark}"/>
<path d="M0 -200C18 -182 74 -112 74 -10C74 56 58 92 56 138C54 186 30 198 0 198C-30 198 -54 186 -56 138C-58 92 -74 56 -74 -10C-74 -112 -18 -182 0 -200Z" fill="{light}"/><path d="M-50 40C-40 30 40 30 50 40L48 140C46 176 26 188 0 188C-26 188 -46 176 -48 140Z" fill="{accent}" opacity=".35"/>
<path d="M0 -214C20 -196 84 -120 84 -10C84 14 82 34 78 52C40 20 -40 20 -78 52C-82 34 -84 14 -84 -10C-84 -120 -20 -196 0 -214Z" fill="{main}"/><path d="M0 -214C20 -196 84 -120 84 -10C84 14 82 34 78 52C40 20 -40 20 -78 52C-82 34 -84 14 -84 -10C-84 -120 -20 -196 0 -214Z" fill="url(#side)"/>
<path d="M-70 34C-36 8 36 8 70 34" fill="none" stroke="{light}" stroke-width="3" stroke-dasharray="8 6"/>{}{}{}</g>"##,
            star(0, -60, 24, accent),
            star(0, -60, 13, light),
            [(-40, -14), (40, -14), (0, -130)]
                .map(|(x, y)| star(x, y, 7, accent))
                .concat()
        )
    };
    format!(
        r##"<ellipse cx="210" cy="500" rx="96" ry="18" fill="url(#shadow)"/><ellipse cx="390" cy="500" rx="96" ry="18" fill="url(#shadow)"/>{}{}"##,
        one(206, -7),
        one(394, 7)
    )
}

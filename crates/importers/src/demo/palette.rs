//! Colours that go together.

/// A set of colours by mood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Saffron,
    Indigo,
    Sage,
    Rose,
    Teal,
    Plum,
    Clay,
    Olive,
    Sky,
    Ink,
}

const ALL: [Tone; 10] = [
    Tone::Saffron,
    Tone::Indigo,
    Tone::Sage,
    Tone::Rose,
    Tone::Teal,
    Tone::Plum,
    Tone::Clay,
    Tone::Olive,
    Tone::Sky,
    Tone::Ink,
];

/// The colours of a picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Palette {
    /// Wall, where the light falls.
    pub wall: &'static str,
    /// Wall, in the shade, and the niche.
    pub niche: &'static str,
    /// The thing itself.
    pub main: &'static str,
    /// Its shadows and lines.
    pub dark: &'static str,
    /// What sets it off.
    pub accent: &'static str,
    /// Its lights.
    pub light: &'static str,
}

impl Tone {
    /// One of all tones by a number.
    pub fn pick(number: u32) -> Self {
        ALL[number as usize % ALL.len()]
    }

    pub fn palette(self) -> Palette {
        let [wall, niche, main, dark, accent, light] = match self {
            Self::Saffron => [
                "#fdf3dd", "#f0d9a8", "#dd9427", "#6f3a12", "#b5432a", "#fff5df",
            ],
            Self::Indigo => [
                "#eef1f7", "#c9d4e6", "#31508a", "#1a294a", "#dd9440", "#f6f1e4",
            ],
            Self::Sage => [
                "#f1f4e9", "#d3dec3", "#7b936e", "#37472f", "#c9783c", "#fbf7ea",
            ],
            Self::Rose => [
                "#fceee9", "#f0cdc3", "#c76557", "#642626", "#e2a652", "#fff3ea",
            ],
            Self::Teal => [
                "#e8f4f1", "#b9dbd4", "#2b827b", "#113f3c", "#e1a549", "#f4faf3",
            ],
            Self::Plum => [
                "#f6eef5", "#dcc6db", "#7d4573", "#3a1d38", "#dba544", "#fcf3ec",
            ],
            Self::Clay => [
                "#f9efe5", "#e5ccb3", "#b7673b", "#572a15", "#3f6f6d", "#fff4e4",
            ],
            Self::Olive => [
                "#f6f4e2", "#dddab2", "#8b8a3b", "#424117", "#b34b2f", "#fcf9e4",
            ],
            Self::Sky => [
                "#edf5fa", "#c3dcea", "#4988ab", "#1d4258", "#e3b04a", "#f8f9f0",
            ],
            Self::Ink => [
                "#f0eeea", "#cfc9c0", "#4d4c52", "#222126", "#c98a49", "#f8f3ea",
            ],
        };
        Palette {
            wall,
            niche,
            main,
            dark,
            accent,
            light,
        }
    }
}

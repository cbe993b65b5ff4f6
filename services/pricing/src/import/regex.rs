//! Regular expressions of postcodes turned into patterns. Understood are letters, digits, `\d`,
//! classes such as `[0-4]`, groups with alternatives, and the repetitions `{n}` and, at the very
//! end, `{n,}`. What comes out means the same, of postcodes that are digits where `\d` stands.

/// Most patterns that one expression may turn into.
const MAX_PATTERNS: usize = 200;
/// Most places of a postcode.
const MAX_PLACES: usize = 20;
/// Deepest groups within groups.
const MAX_DEPTH: usize = 8;

/// What stands in one place of a postcode: letters and digits, in order.
type Place = Vec<char>;

/// One way to match: place by place, and whether any digits may follow.
#[derive(Clone, Debug, Default, PartialEq)]
struct Way {
    places: Vec<Place>,
    open: bool,
}

/// The patterns that mean the same as `expression`.
///
/// # Errors
/// What cannot be turned.
pub fn patterns(expression: &str) -> Result<Vec<String>, String> {
    let letters: Vec<char> = expression.chars().collect();
    if letters.len() > 500 {
        return Err("the expression is longer than 500 characters".into());
    }
    let mut parser = Parser {
        letters: &letters,
        at: 0,
    };
    let ways = parser.alternatives(0)?;
    if parser.at < letters.len() {
        return Err(format!("`)` at {} closes nothing", parser.at + 1));
    }
    let mut patterns: Vec<String> = Vec::new();
    for way in &ways {
        if way.places.is_empty() {
            return Err("an alternative is empty".into());
        }
        write(way, &mut patterns)?;
    }
    let mut seen = std::collections::HashSet::new();
    patterns.retain(|pattern| seen.insert(pattern.clone()));
    Ok(patterns)
}

struct Parser<'a> {
    letters: &'a [char],
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.letters.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let letter = self.peek();
        self.at += usize::from(letter.is_some());
        letter
    }

    /// `a|b|c`, to the end or to a closing bracket.
    fn alternatives(&mut self, depth: usize) -> Result<Vec<Way>, String> {
        if depth > MAX_DEPTH {
            return Err("groups are nested too deeply".into());
        }
        let mut all = self.sequence(depth)?;
        while self.peek() == Some('|') {
            self.at += 1;
            all.extend(self.sequence(depth)?);
            limit(&all)?;
        }
        Ok(all)
    }

    fn sequence(&mut self, depth: usize) -> Result<Vec<Way>, String> {
        let mut ways = vec![Way::default()];
        while let Some(letter) = self.peek() {
            if letter == '|' || letter == ')' {
                break;
            }
            let piece = self.piece(depth)?;
            ways = joined(&ways, &piece)?;
        }
        Ok(ways)
    }

    /// One place or group, with what repeats it.
    fn piece(&mut self, depth: usize) -> Result<Vec<Way>, String> {
        let start = self.at + 1;
        let one = match self.next() {
            Some('(') => {
                let ways = self.alternatives(depth + 1)?;
                match self.next() {
                    Some(')') => ways,
                    _ => return Err(format!("`(` at {start} is not closed")),
                }
            }
            Some('[') => single(self.class(start)?),
            Some('\\') => match self.next() {
                Some('d') => single(digits()),
                _ => return Err(format!("`\\` at {start} can be followed by `d` only")),
            },
            Some(letter) if letter.is_ascii_alphanumeric() => {
                single(vec![letter.to_ascii_uppercase()])
            }
            // Postcodes are compared without these.
            Some(' ' | '-') => vec![Way::default()],
            Some(other) => {
                return Err(format!(
                    "`{other}` at {start} has no counterpart in a pattern"
                ));
            }
            None => return Err("the expression ends too early".into()),
        };
        match self.peek() {
            Some('{') => self.repeated(&one),
            _ => Ok(one),
        }
    }

    /// `[0-4]`, `[123]`.
    fn class(&mut self, start: usize) -> Result<Place, String> {
        let mut place = Place::new();
        loop {
            let from = match self.next() {
                Some(']') if !place.is_empty() => break,
                Some(letter) if letter.is_ascii_alphanumeric() => letter.to_ascii_uppercase(),
                _ => {
                    return Err(format!(
                        "`[` at {start} is not a class of letters and digits"
                    ));
                }
            };
            let mut to = from;
            if self.peek() == Some('-') {
                self.at += 1;
                to = match self.next() {
                    Some(letter) if letter.is_ascii_alphanumeric() => letter.to_ascii_uppercase(),
                    _ => return Err(format!("`[` at {start} has a range without an end")),
                };
            }
            if to < from || from.is_ascii_digit() != to.is_ascii_digit() {
                return Err(format!(
                    "`[` at {start} has a range that holds nothing plain"
                ));
            }
            place.extend(from..=to);
        }
        place.sort_unstable();
        place.dedup();
        Ok(place)
    }

    /// `{n}`, `{n,}`.
    fn repeated(&mut self, one: &[Way]) -> Result<Vec<Way>, String> {
        let start = self.at + 1;
        self.at += 1;
        let mut number = String::new();
        while let Some(digit) = self.peek().filter(char::is_ascii_digit) {
            number.push(digit);
            self.at += 1;
        }
        let times = number.parse::<usize>().ok().filter(|n| *n <= MAX_PLACES);
        let times = times.ok_or_else(|| format!("`{{` at {start} is not a repetition"))?;
        let open = self.peek() == Some(',');
        self.at += usize::from(open);
        if self.next() != Some('}') {
            return Err(format!(
                "`{{` at {start} is neither `{{n}}` nor `{{n,}}`, which patterns can say"
            ));
        }
        if open && one != single(digits()) {
            return Err(format!(
                "only digits can be repeated without end, at {start}"
            ));
        }
        let mut ways = vec![Way::default()];
        for _ in 0..times {
            ways = joined(&ways, one)?;
        }
        if open {
            ways.iter_mut().for_each(|way| way.open = true);
        }
        Ok(ways)
    }
}

fn digits() -> Place {
    ('0'..='9').collect()
}

fn single(place: Place) -> Vec<Way> {
    vec![Way {
        places: vec![place],
        open: false,
    }]
}

fn limit(ways: &[Way]) -> Result<(), String> {
    match ways.len() <= MAX_PATTERNS && ways.iter().all(|way| way.places.len() <= MAX_PLACES) {
        true => Ok(()),
        false => Err(too_many()),
    }
}

fn too_many() -> String {
    format!(
        "the expression means more than {MAX_PATTERNS} patterns, or postcodes of more than {MAX_PLACES} characters"
    )
}

fn joined(heads: &[Way], tails: &[Way]) -> Result<Vec<Way>, String> {
    let nothing = |ways: &[Way]| ways.iter().all(|way| *way == Way::default());
    if heads.iter().any(|way| way.open) && !nothing(tails) {
        return Err("a repetition without end must stand at the very end".into());
    }
    if heads.len() * tails.len() > MAX_PATTERNS {
        return Err(too_many());
    }
    let join = |head: &Way, tail: &Way| Way {
        places: head.places.iter().chain(&tail.places).cloned().collect(),
        open: head.open || tail.open,
    };
    let ways: Vec<Way> = heads
        .iter()
        .flat_map(|head| tails.iter().map(move |tail| join(head, tail)))
        .collect();
    limit(&ways)?;
    Ok(ways)
}

/// Writes a way as a range of numbers if it is one, else place by place: `?` where all digits may
/// stand, and where only some may, a pattern for each.
fn write(way: &Way, patterns: &mut Vec<String>) -> Result<(), String> {
    if patterns.len() >= MAX_PATTERNS {
        return Err(too_many());
    }
    if let Some(range) = range(way) {
        patterns.push(range);
        return Ok(());
    }
    let some = |place: &Place| place.len() > 1 && *place != digits();
    let Some(split) = way.places.iter().position(some) else {
        let letter = |place: &Place| match place.as_slice() {
            [letter] => *letter,
            _ => '?',
        };
        let mut text: String = way.places.iter().map(letter).collect();
        text.extend(way.open.then_some('*'));
        patterns.push(text);
        return Ok(());
    };
    // What goes on with all digits is one range for each run of digits.
    let place = &way.places[split];
    let parts = match runs(place) {
        runs if runs.len() > 1 && !way.open && numeric(&way.places) => runs,
        _ => place.iter().map(|letter| vec![*letter]).collect(),
    };
    for part in parts {
        let mut one = way.clone();
        one.places[split] = part;
        write(&one, patterns)?;
    }
    Ok(())
}

fn numeric(places: &[Place]) -> bool {
    places.iter().flatten().all(char::is_ascii_digit)
}

/// The runs of neighbouring letters in a place.
fn runs(place: &Place) -> Vec<Place> {
    let mut runs: Vec<Place> = Vec::new();
    for letter in place {
        let next = |last: &char| *last as u32 + 1 == *letter as u32;
        match runs.last_mut().filter(|run| run.last().is_some_and(next)) {
            Some(run) => run.push(*letter),
            None => runs.push(vec![*letter]),
        }
    }
    runs
}

/// `35\d{3}` is the numbers 35000 to 35999: fixed digits, one run of digits, then all digits. Not if
/// it may begin with a nought, which a number does not.
fn range(way: &Way) -> Option<String> {
    let fixed = way.places.iter().take_while(|place| place.len() == 1);
    let fixed = fixed.count();
    let (first, rest) = (
        way.places.first()?,
        way.places.get(fixed + 1..).unwrap_or_default(),
    );
    let counted = way.places.get(fixed)?;
    let plain = !way.open
        && numeric(&way.places)
        && !first.contains(&'0')
        && runs(counted).len() == 1
        && rest.iter().all(|place| *place == digits());
    if !plain {
        return None;
    }
    let ends = |pick: fn(&Place) -> Option<&char>| -> String {
        way.places.iter().filter_map(pick).collect()
    };
    Some(format!("{}..{}", ends(|p| p.first()), ends(|p| p.last())))
}

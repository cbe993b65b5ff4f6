//! Makes a merchant's HTML safe to show: an allow-list of formatting elements without attributes;
//! everything else is text, or gone. Small on purpose: without attributes there is no URL, no
//! handler and no style to judge, so escaping and a list of names is all the safety needed.

/// Elements that stay, as they are written.
const KEPT: &[&str] = &[
    "b",
    "blockquote",
    "br",
    "code",
    "div",
    "em",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "li",
    "ol",
    "p",
    "pre",
    "s",
    "small",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "u",
    "ul",
];
/// Of these, the ones that have no end tag.
const VOID: &[&str] = &["br", "hr"];
/// Elements that go together with what is in them: it is not text.
const DROPPED: &[&str] = &[
    "script", "style", "head", "title", "template", "noscript", "iframe", "object", "svg", "math",
    "textarea", "select",
];

/// The safe form of `html`: only kept elements, all closed, all text escaped. Cleaning it again
/// changes nothing.
pub fn clean(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut open: Vec<&'static str> = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        push_text(&mut out, &rest[..at]);
        rest = match tag(&rest[at..]) {
            Tag::None => {
                out.push_str("&lt;");
                &rest[at + 1..]
            }
            Tag::Skipped(after) => after,
            Tag::Start(name, after) => {
                if let Some(dropped) = DROPPED.iter().find(|d| name.eq_ignore_ascii_case(d)) {
                    skip_to_end(after, dropped)
                } else {
                    start(&mut out, &mut open, name);
                    after
                }
            }
            Tag::End(name, after) => {
                end(&mut out, &mut open, name);
                after
            }
        };
    }
    push_text(&mut out, rest);
    while let Some(name) = open.pop() {
        close(&mut out, name);
    }
    let trimmed = out.trim();
    match trimmed.len() == out.len() {
        true => out,
        false => trimmed.to_owned(),
    }
}

enum Tag<'a> {
    /// The `<` is text.
    None,
    /// A comment, a declaration or the like, to be left out.
    Skipped(&'a str),
    Start(&'a str, &'a str),
    End(&'a str, &'a str),
}

/// Reads what stands at a `<`.
fn tag(text: &str) -> Tag<'_> {
    let inner = &text[1..];
    if let Some(comment) = inner.strip_prefix("!--") {
        return Tag::Skipped(comment.split_once("-->").map_or("", |(_, after)| after));
    }
    if inner.starts_with(['!', '?']) {
        return Tag::Skipped(inner.split_once('>').map_or("", |(_, after)| after));
    }
    let (is_end, named) = match inner.strip_prefix('/') {
        Some(named) => (true, named),
        None => (false, inner),
    };
    if !named.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Tag::None;
    }
    let length = named
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != ':')
        .unwrap_or(named.len());
    let (name, attributes) = named.split_at(length);
    let Some(end) = end_of_tag(attributes) else {
        // A tag that never ends hides the rest from a browser as well.
        return Tag::Skipped("");
    };
    let after = &attributes[end..];
    match is_end {
        true => Tag::End(name, after),
        false => Tag::Start(name, after),
    }
}

/// Where the text goes on behind the `>` of a tag; a `>` inside quotes does not end it.
fn end_of_tag(attributes: &str) -> Option<usize> {
    let mut quote = None;
    let mut before = b' ';
    for (at, byte) in attributes.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(at + 1),
            // A quote opens a value only behind `=`, as in a browser.
            (None, b'"' | b'\'') if before == b'=' => quote = Some(byte),
            (Some(q), b) if b == q => quote = None,
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            before = byte;
        }
    }
    None
}

/// What follows the end tag of `name`.
fn skip_to_end<'a>(text: &'a str, name: &str) -> &'a str {
    let mut rest = text;
    while let Some(at) = rest.find("</") {
        let candidate = &rest[at..];
        rest = &candidate[2..];
        let named = rest.as_bytes().get(..name.len());
        if named.is_some_and(|named| named.eq_ignore_ascii_case(name.as_bytes())) {
            match tag(candidate) {
                Tag::End(found, after) if found.eq_ignore_ascii_case(name) => return after,
                Tag::Skipped(_) => return "",
                _ => {}
            }
        }
    }
    ""
}

fn kept(name: &str) -> Option<&'static str> {
    let name = if name.eq_ignore_ascii_case("h1") {
        "h2"
    } else {
        name
    };
    KEPT.iter()
        .find(|kept| name.eq_ignore_ascii_case(kept))
        .copied()
}

/// Deepest nesting; what is nested deeper loses its element and keeps its text.
const MAX_OPEN: usize = 64;

fn start(out: &mut String, open: &mut Vec<&'static str>, name: &str) {
    let Some(name) = kept(name) else { return };
    let is_void = VOID.contains(&name);
    if !is_void && open.len() >= MAX_OPEN {
        return;
    }
    out.push('<');
    out.push_str(name);
    out.push('>');
    if !is_void {
        open.push(name);
    }
}

/// Closes the innermost open element of this name and what is open inside it; an end tag without
/// a start is left out.
fn end(out: &mut String, open: &mut Vec<&'static str>, name: &str) {
    let Some(name) = kept(name) else { return };
    let Some(from) = open.iter().rposition(|o| *o == name) else {
        return;
    };
    for inner in open.drain(from..).rev() {
        close(out, inner);
    }
}

fn close(out: &mut String, name: &str) {
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

/// Text with everything escaped that could be markup; entities that are written stay.
fn push_text(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '>', '"', '\0', '\r', '\x0b', '\x0c', '\u{feff}']) {
        out.push_str(&rest[..at]);
        let mut letters = rest[at..].chars();
        match letters.next() {
            Some('&') if is_entity(&rest[at..]) => out.push('&'),
            Some('&') => out.push_str("&amp;"),
            Some('>') => out.push_str("&gt;"),
            Some('"') => out.push_str("&quot;"),
            // Controls have no place in a text.
            _ => {}
        }
        rest = letters.as_str();
    }
    out.push_str(rest);
}

/// `&name;`, `&#123;` or `&#x7b;`.
fn is_entity(text: &str) -> bool {
    let start = &text.as_bytes()[1..text.len().min(34)];
    let Some(end) = start.iter().position(|b| *b == b';') else {
        return false;
    };
    let name = &text[1..=end];
    let all = |digits: &str, ok: fn(&u8) -> bool| {
        (1..=7).contains(&digits.len()) && digits.bytes().all(|b| ok(&b))
    };
    match name.strip_prefix('#') {
        Some(number) => match number.strip_prefix(['x', 'X']) {
            Some(hex) => all(hex, u8::is_ascii_hexdigit),
            None => all(number, u8::is_ascii_digit),
        },
        None => {
            (2..=31).contains(&name.len())
                && name.bytes().all(|b| b.is_ascii_alphanumeric())
                && name.starts_with(|c: char| c.is_ascii_alphabetic())
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn formatting_stays_and_everything_else_goes() {
        for (given, wanted) in [
            (
                "<P class='x'>Hello <a href=\"javascript:x\">you</a></P>",
                "<p>Hello you</p>",
            ),
            ("<script>alert(1)</script>ok<style>p{}</style>", "ok"),
            ("<ScRiPt >a</sCript x>b", "b"),
            ("<img src=x onerror=alert(1)>", ""),
            ("<p title=\"a>b\">c", "<p>c</p>"),
            (
                "<ul><li>one<li>two</ul></b>",
                "<ul><li>one<li>two</li></li></ul>",
            ),
            (
                "1 < 2 & 3 > 2 &amp; &copy; &#39; &bogus",
                "1 &lt; 2 &amp; 3 &gt; 2 &amp; &copy; &#39; &amp;bogus",
            ),
            ("a<br/>b<hr>c", "a<br>b<hr>c"),
            ("<h1>T</h1>", "<h2>T</h2>"),
            ("<!-- <p>no --><!DOCTYPE html>yes<?php no ?>", "yes"),
            ("<svg><p>x</p></svg>y", "y"),
            ("<p unfinished", ""),
            ("<script>never ends", ""),
            ("<<p>>", "&lt;<p>&gt;</p>"),
            ("</p>", ""),
        ] {
            assert_eq!(clean(given), wanted, "{given}");
        }
    }

    /// What a reader of the output could take for markup.
    fn only_kept_elements(html: &str) -> bool {
        html.split('<').skip(1).all(|piece| {
            let Some((tag, _)) = piece.split_once('>') else {
                return false;
            };
            KEPT.contains(&tag.strip_prefix('/').unwrap_or(tag))
        })
    }

    fn hostile() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("<".to_owned()),
            Just(">".to_owned()),
            Just("&".to_owned()),
            Just("\"".to_owned()),
            Just("'".to_owned()),
            Just("</".to_owned()),
            Just("<!--".to_owned()),
            Just("-->".to_owned()),
            Just("<script".to_owned()),
            Just("</script>".to_owned()),
            Just("<p>".to_owned()),
            Just("<b ".to_owned()),
            Just("onx=\"".to_owned()),
            Just("</b>".to_owned()),
            Just("&lt;".to_owned()),
            Just("\0".to_owned()),
            "[a-z;# ]{0,4}",
            any::<char>().prop_map(|c| c.to_string()),
        ];
        proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn nothing_but_kept_elements_ever_comes_out(html in hostile()) {
            let cleaned = clean(&html);
            prop_assert!(only_kept_elements(&cleaned), "{cleaned}");
            prop_assert!(!cleaned.contains('\0'));
        }

        #[test]
        fn what_is_clean_stays_as_it_is(html in hostile()) {
            let once = clean(&html);
            prop_assert_eq!(clean(&once), once);
        }

        #[test]
        fn every_element_is_closed(html in hostile()) {
            let cleaned = clean(&html);
            for name in KEPT.iter().filter(|name| !VOID.contains(name)) {
                let starts = cleaned.matches(&format!("<{name}>")).count();
                prop_assert_eq!(starts, cleaned.matches(&format!("</{name}>")).count());
            }
        }
    }
}

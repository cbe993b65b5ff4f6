//! Product descriptions come as HTML. They were cleaned when they were imported, but a page does not
//! rest on that: everything is written anew from a short list of harmless tags, without attributes.
//! What comes out is well-formed and holds no script, style, link or picture, whatever went in.

/// Tags kept, and what they become: headings are moved below the page's own.
const KEPT: [(&str, &str); 31] = [
    ("p", "p"),
    ("br", "br"),
    ("ul", "ul"),
    ("ol", "ol"),
    ("li", "li"),
    ("strong", "strong"),
    ("b", "strong"),
    ("em", "em"),
    ("i", "em"),
    ("h1", "h3"),
    ("h2", "h3"),
    ("h3", "h3"),
    ("h4", "h4"),
    ("h5", "h4"),
    ("h6", "h4"),
    ("blockquote", "blockquote"),
    ("div", "p"),
    ("sub", "sub"),
    ("sup", "sup"),
    ("code", "code"),
    ("hr", "hr"),
    ("pre", "pre"),
    ("s", "s"),
    ("u", "u"),
    ("small", "small"),
    ("table", "table"),
    ("thead", "thead"),
    ("tbody", "tbody"),
    ("tr", "tr"),
    ("th", "th"),
    ("td", "td"),
];

/// Tags that go with everything in them.
const DROPPED: [&str; 8] = [
    "script", "style", "title", "textarea", "iframe", "noscript", "template", "svg",
];

/// Deeper nesting is flattened.
const DEEPEST: usize = 16;

/// `html` with nothing in it but text and harmless tags.
pub fn clean(html: &str) -> String {
    let mut clean = String::with_capacity(html.len());
    let mut open: Vec<&'static str> = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        text(&rest[..at], &mut clean);
        rest = &rest[at..];
        let Some(tag) = Tag::read(rest) else {
            // A lone `<`: it is text.
            clean.push_str("&lt;");
            rest = &rest[1..];
            continue;
        };
        rest = &rest[tag.length..];
        if DROPPED.contains(&tag.name.as_str()) {
            if !tag.closing {
                rest = after_closing(rest, &tag.name);
            }
            continue;
        }
        let kept = KEPT.iter().find(|(name, _)| *name == tag.name);
        if let Some((_, name)) = kept {
            write_tag(name, tag.closing, &mut open, &mut clean);
        }
    }
    text(rest, &mut clean);
    while let Some(name) = open.pop() {
        close(name, &mut clean);
    }
    clean
}

fn write_tag(name: &'static str, closing: bool, open: &mut Vec<&'static str>, clean: &mut String) {
    match (name, closing) {
        ("br", _) => clean.push_str("<br>"),
        ("hr", _) => clean.push_str("<hr>"),
        (_, false) => {
            // A paragraph ends where the next begins, as browsers read it.
            if name == "p" && open.last() == Some(&"p") {
                open.pop();
                close("p", clean);
            }
            if open.len() < DEEPEST {
                open.push(name);
                clean.push('<');
                clean.push_str(name);
                clean.push('>');
            }
        }
        (_, true) => {
            if let Some(place) = open.iter().rposition(|o| *o == name) {
                for name in open.drain(place..).rev().collect::<Vec<_>>() {
                    close(name, clean);
                }
            }
        }
    }
}

fn close(name: &str, clean: &mut String) {
    clean.push_str("</");
    clean.push_str(name);
    clean.push('>');
}

/// Text between tags: character references stay, everything else that means something is escaped.
fn text(raw: &str, clean: &mut String) {
    for (at, c) in raw.char_indices() {
        match c {
            '&' if is_reference(&raw[at + 1..]) => clean.push('&'),
            '&' => clean.push_str("&amp;"),
            '<' => clean.push_str("&lt;"),
            '>' => clean.push_str("&gt;"),
            c if c.is_control() && !c.is_whitespace() => {}
            c => clean.push(c),
        }
    }
}

/// Whether `after` goes on as `name;` or `#123;`.
fn is_reference(after: &str) -> bool {
    let Some(end) = after.bytes().take(12).position(|byte| byte == b';') else {
        return false;
    };
    let name = after[..end].strip_prefix('#').unwrap_or(&after[..end]);
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

struct Tag {
    name: String,
    closing: bool,
    /// Bytes up to and with its `>`.
    length: usize,
}

impl Tag {
    /// The tag, comment or declaration that `rest` begins with.
    fn read(rest: &str) -> Option<Self> {
        if let Some(comment) = rest.strip_prefix("<!--") {
            let length = comment.find("-->").map_or(rest.len(), |end| end + 7);
            return Some(Self::nameless(length));
        }
        let inner = rest.strip_prefix('<')?;
        let (closing, inner) = match inner.strip_prefix('/') {
            Some(inner) => (true, inner),
            None => (false, inner),
        };
        let first = inner.chars().next()?;
        if matches!(first, '!' | '?') {
            return Some(Self::nameless(end_of(rest)));
        }
        if !first.is_ascii_alphabetic() {
            return None;
        }
        let name = inner
            .split(|c: char| !c.is_ascii_alphanumeric())
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        Some(Self {
            name,
            closing,
            length: end_of(rest),
        })
    }

    fn nameless(length: usize) -> Self {
        Self {
            name: String::new(),
            closing: false,
            length,
        }
    }
}

/// Where the tag at the start of `rest` ends: behind the first `>` outside quotes, or at the end.
fn end_of(rest: &str) -> usize {
    let mut quote = None;
    for (at, byte) in rest.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return at + 1,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    rest.len()
}

/// What follows `</name …>`, or nothing.
fn after_closing<'a>(rest: &'a str, name: &str) -> &'a str {
    let mut from = 0;
    while let Some(at) = rest[from..].find("</") {
        let start = from + at;
        match Tag::read(&rest[start..]) {
            Some(tag) if tag.closing && tag.name == name => return &rest[start + tag.length..],
            _ => from = start + 2,
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::clean;

    #[test]
    fn harmless_tags_stay_without_their_attributes() {
        assert_eq!(
            clean(
                r#"<p class="x" onclick="a()">Soft &amp; <B>warm</B></p><ul><li>one<li>two</ul>"#
            ),
            "<p>Soft &amp; <strong>warm</strong></p><ul><li>one<li>two</li></li></ul>"
        );
        assert_eq!(
            clean("<h1>Big</h1><div>a<div>b"),
            "<h3>Big</h3><p>a</p><p>b</p>"
        );
    }

    #[test]
    fn what_could_act_is_gone() {
        assert_eq!(clean("a<script>alert('<p>')</script>b"), "ab");
        assert_eq!(clean("a<SCRIPT>x</script >b"), "ab");
        assert_eq!(clean("<img src=x onerror=alert(1)>ok"), "ok");
        assert_eq!(clean("<a href='javascript:x' title='>'>ok</a>"), "ok");
        assert_eq!(clean("<!-- <p> --><!doctype html>ok"), "ok");
        assert_eq!(clean("<style>p{}"), "");
        assert_eq!(
            clean("1 < 2 & 3 &lt; 4 &#39;x &;"),
            "1 &lt; 2 &amp; 3 &lt; 4 &#39;x &amp;;"
        );
    }

    proptest! {
        #[test]
        fn only_listed_tags_ever_come_out_and_they_balance(
            html in "(<|</|>|p|li|script|svg|img|\"|'|=| |b|&|;|!--|-->|onload|é){0,60}",
        ) {
            let out = clean(&html);
            let mut open = Vec::new();
            for piece in out.split('<').skip(1) {
                let (tag, _) = piece.split_once('>').expect("every tag ends");
                match tag.strip_prefix('/') {
                    Some(name) => prop_assert_eq!(open.pop(), Some(name)),
                    None if tag == "br" => {}
                    None => {
                        prop_assert!(["p", "li", "strong"].contains(&tag), "{} from {}", tag, html);
                        open.push(tag);
                    }
                }
            }
            prop_assert!(open.is_empty());
        }
    }
}

//! As much HTML as it takes to read a page's words and its forms.

/// A piece of a document, in order.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Words, with their character references resolved.
    Text(String),
    /// `<name attribute="value">`; names are in lower case, values resolved.
    Open { name: String, attributes: Vec<(String, String)> },
    /// `</name>`
    Close(String),
}

impl Piece {
    /// An attribute of a start tag.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let Self::Open { attributes, .. } = self else { return None };
        attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Cuts a document into pieces. Comments, declarations and what scripts and styles hold are left out.
pub(super) fn pieces(html: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        push_text(&mut pieces, &rest[..start]);
        rest = &rest[start..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = after(comment, "-->");
        } else if rest.starts_with("<!") {
            rest = after(rest, ">");
        } else if let Some(closing) = rest.strip_prefix("</") {
            let name = closing.split('>').next().unwrap_or_default().trim().to_ascii_lowercase();
            pieces.push(Piece::Close(name));
            rest = after(closing, ">");
        } else {
            let (tag, behind) = open_tag(&rest[1..]);
            rest = behind;
            if let Piece::Open { name, .. } = &tag
                && ["script", "style"].contains(&name.as_str())
            {
                let end = format!("</{name}");
                rest = rest.find(&end).map_or("", |place| &rest[place..]);
            }
            pieces.push(tag);
        }
    }
    push_text(&mut pieces, rest);
    pieces
}

/// The words of a document with single spaces between them, as a person would read them out.
pub(super) fn words(html: &str) -> String {
    let mut text = String::new();
    for piece in pieces(html) {
        match piece {
            Piece::Text(words) => text.push_str(&words),
            // What a tag parts is parted, but for the tags that stand within a sentence.
            Piece::Open { name, .. } | Piece::Close(name) => {
                if !["strong", "em", "b", "i", "a", "code", "span"].contains(&name.as_str()) {
                    text.push(' ');
                }
            }
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    if !text.is_empty() {
        pieces.push(Piece::Text(resolve(text)));
    }
}

fn after<'a>(text: &'a str, end: &str) -> &'a str {
    text.split_once(end).map_or("", |(_, rest)| rest)
}

/// Reads a start tag from behind its `<`.
fn open_tag(text: &str) -> (Piece, &str) {
    let end_of_name = |c: char| c.is_whitespace() || c == '>' || c == '/';
    let (name, mut rest) = text.split_at(text.find(end_of_name).unwrap_or(text.len()));
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        if rest.is_empty() {
            break;
        }
        if let Some(behind) = rest.strip_prefix('>') {
            rest = behind;
            break;
        }
        let end = rest.find(|c: char| end_of_name(c) || c == '=').unwrap_or(rest.len());
        // A stray `=` begins a name, as the HTML standard has it; so there is always a step forward.
        let end = end.max(rest.chars().next().map_or(1, char::len_utf8));
        let (key, behind) = rest.split_at(end);
        let (value, behind) = match behind.trim_start().strip_prefix('=') {
            Some(value) => attribute_value(value.trim_start()),
            None => ("", behind),
        };
        attributes.push((key.to_ascii_lowercase(), resolve(value)));
        rest = behind;
    }
    (Piece::Open { name: name.to_ascii_lowercase(), attributes }, rest)
}

fn attribute_value(text: &str) -> (&str, &str) {
    for quote in ['"', '\''] {
        if let Some(quoted) = text.strip_prefix(quote) {
            return quoted.split_once(quote).unwrap_or((quoted, ""));
        }
    }
    text.split_at(text.find(|c: char| c.is_whitespace() || c == '>').unwrap_or(text.len()))
}

/// Replaces character references: the five that are needed and the numeric ones. Others stay as they are.
fn resolve(text: &str) -> String {
    let mut resolved = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        resolved.push_str(&rest[..start]);
        rest = &rest[start..];
        let reference = rest[1..].split_once(';').and_then(|(name, behind)| Some((character(name)?, behind)));
        match reference {
            Some((character, behind)) => {
                resolved.push(character);
                rest = behind;
            }
            None => {
                resolved.push('&');
                rest = &rest[1..];
            }
        }
    }
    resolved.push_str(rest);
    resolved
}

fn character(name: &str) -> Option<char> {
    let number = |digits: &str, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => match name.strip_prefix('#')? {
            hex if hex.starts_with(['x', 'X']) => number(&hex[1..], 16),
            digits => number(digits, 10),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_however_they_are_written() {
        let html = "<!DOCTYPE html><!-- <b>no</b> --><INPUT type=hidden name='a b' value=\"1 &lt; 2 &#38; &#x41;\" \
                    required/>x<br>";
        let pieces = pieces(html);
        assert_eq!(pieces.len(), 3, "{pieces:?}");
        assert_eq!(pieces[0].attribute("type"), Some("hidden"));
        assert_eq!(pieces[0].attribute("name"), Some("a b"));
        assert_eq!(pieces[0].attribute("value"), Some("1 < 2 & A"));
        assert_eq!(pieces[0].attribute("required"), Some(""));
        assert_eq!(pieces[1], Piece::Text("x".into()));
    }

    #[test]
    fn words_are_what_a_person_sees() {
        let html = "<style>p { }</style><script>if (a < b) {}</script><h1>Allow <strong>x</strong>?</h1>\n<p>Yes &amp; no</p>";
        assert_eq!(words(html), "Allow x? Yes & no");
    }

    #[test]
    fn broken_markup_ends() {
        for html in [
            "<",
            "<a",
            "<a b",
            "<a b=",
            "<a b='",
            "</",
            "<!--",
            "<!",
            "<a =b>",
            "<script>",
            "&#xffffffff;",
            "<a é=1>",
        ] {
            pieces(html);
        }
    }
}

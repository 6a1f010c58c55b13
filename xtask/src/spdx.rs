//! Licence expressions as crates write them: SPDX with `AND`, `OR`, `WITH` and brackets, and the older `MIT/Apache-2.0`.

/// Whether the expression can be satisfied by the allowed licences alone.
///
/// # Errors
/// When the text is no such expression.
pub(crate) fn satisfied(expression: &str, allowed: &[String]) -> Result<bool, String> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut words = spaced.split_whitespace().peekable();
    let verdict = any(&mut words, allowed).map_err(|what| format!("`{expression}`: {what}"))?;
    match words.next() {
        None => Ok(verdict),
        Some(word) => Err(format!("`{expression}`: `{word}` is not expected there")),
    }
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

/// `OR` binds weaker than `AND`.
fn any(words: &mut Words<'_>, allowed: &[String]) -> Result<bool, String> {
    let mut verdict = all(words, allowed)?;
    while words.next_if_eq(&"OR").is_some() {
        verdict |= all(words, allowed)?;
    }
    Ok(verdict)
}

fn all(words: &mut Words<'_>, allowed: &[String]) -> Result<bool, String> {
    let mut verdict = one(words, allowed)?;
    while words.next_if_eq(&"AND").is_some() {
        verdict &= one(words, allowed)?;
    }
    Ok(verdict)
}

fn one(words: &mut Words<'_>, allowed: &[String]) -> Result<bool, String> {
    match words.next() {
        Some("(") => {
            let verdict = any(words, allowed)?;
            words.next_if_eq(&")").map(|_| verdict).ok_or_else(|| "a bracket is not closed".into())
        }
        None | Some(")" | "AND" | "OR" | "WITH") => Err("a licence is missing".into()),
        Some(licence) => {
            let mut name = licence.to_owned();
            if words.next_if_eq(&"WITH").is_some() {
                let exception = words.next().ok_or("an exception is missing after WITH")?;
                name = format!("{name} WITH {exception}");
            }
            Ok(allowed.contains(&name))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_judged() {
        let allowed =
            ["MIT".to_owned(), "Unicode-3.0".to_owned(), "Apache-2.0 WITH LLVM-exception".to_owned()];
        let judge = |expression| satisfied(expression, &allowed).unwrap();
        assert!(judge("MIT"));
        assert!(judge("Unlicense/MIT"));
        assert!(judge("(GPL-3.0 OR MIT) AND Unicode-3.0"));
        assert!(judge("GPL-3.0 AND X OR MIT"));
        assert!(judge("Apache-2.0 WITH LLVM-exception"));
        assert!(!judge("Apache-2.0"));
        assert!(!judge("MIT AND GPL-3.0"));
        assert!(!judge("(MIT OR GPL-3.0) AND GPL-3.0"));
        assert!(!judge("MIT WITH Some-exception"));
    }

    #[test]
    fn what_is_no_expression_is_refused() {
        for text in ["", "MIT OR", "(MIT", "MIT )", "MIT Apache-2.0", "AND MIT", "MIT WITH"] {
            assert!(satisfied(text, &["MIT".to_owned()]).is_err(), "{text}");
        }
    }
}

//! The wire's error model (apps-framework.md section 12).

use std::fmt;

/// What kind of error a text is: it decides the status (section 12.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 403.
    Forbidden,
    /// 401, also where a permission is missing.
    Unauthorized,
    /// 404.
    NotFound,
    /// 400.
    Invalid,
    /// Has a text of its own, and no status: 500.
    AlreadyExists,
    /// 500.
    Other,
}

impl Kind {
    /// What such an error's text ends in.
    pub fn text(self) -> &'static str {
        match self {
            Self::Forbidden => "forbidden",
            Self::Unauthorized => "unauthorized",
            Self::NotFound => "not found",
            Self::Invalid => "invalid input",
            Self::AlreadyExists => "already exists",
            Self::Other => "",
        }
    }
}

/// Several errors as one (section 12.3).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aggregate(Vec<String>);

impl Aggregate {
    /// Adds one.
    pub fn push(&mut self, text: impl Into<String>) {
        self.0.push(text.into());
    }

    /// Adds those of another.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The texts.
    pub fn texts(&self) -> &[String] {
        &self.0
    }

    /// An error if there is any.
    pub fn into_result(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl fmt::Display for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => writeln!(f, "1 error occurred:")?,
            several => writeln!(f, "{several} errors occurred:")?,
        }
        for text in &self.0 {
            writeln!(f, "\t* {text}")?;
        }
        f.write_str("\n")
    }
}

impl std::error::Error for Aggregate {}

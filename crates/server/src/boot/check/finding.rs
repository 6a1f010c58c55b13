//! What was found.

use serde::Serialize;

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Severity {
    /// The App cannot be installed, or part of it is not there.
    Error,
    /// It is not what its author meant, as far as one can tell.
    Warning,
    /// Worth knowing.
    Note,
}

impl Severity {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) severity: Severity,
    /// Where: a member of the manifest, a path, a location.
    pub(super) at: String,
    /// What is so.
    pub(super) what: String,
    /// What to do.
    pub(super) mend: String,
}

/// All that was found, in the order in which it was.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) list: Vec<Finding>,
}

impl Findings {
    pub(super) fn error(&mut self, at: impl Into<String>, what: impl Into<String>, mend: impl Into<String>) {
        self.push(Severity::Error, at.into(), what.into(), mend.into());
    }

    pub(super) fn warning(
        &mut self,
        at: impl Into<String>,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) {
        self.push(Severity::Warning, at.into(), what.into(), mend.into());
    }

    pub(super) fn note(&mut self, at: impl Into<String>, what: impl Into<String>, mend: impl Into<String>) {
        self.push(Severity::Note, at.into(), what.into(), mend.into());
    }

    fn push(&mut self, severity: Severity, at: String, what: String, mend: String) {
        let finding = Finding { severity, at, what, mend };
        if !self.list.contains(&finding) {
            self.list.push(finding);
        }
    }
}

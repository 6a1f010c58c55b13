//! Static files: `/static/<name>`, each kept in memory or read from a folder.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use bytes::Bytes;

#[derive(Default)]
pub(crate) struct Files {
    pub(crate) kept: HashMap<String, File>,
    pub(crate) folder: Option<PathBuf>,
}

#[derive(Clone)]
pub(crate) struct File {
    pub(crate) content_type: String,
    pub(crate) bytes: Bytes,
}

impl Files {
    pub(crate) fn is_empty(&self) -> bool {
        self.kept.is_empty() && self.folder.is_none()
    }

    /// `name` is what follows `/static/`, percent-decoded.
    pub(crate) async fn get(&self, name: &str) -> Option<File> {
        if let Some(file) = self.kept.get(name) {
            return Some(file.clone());
        }
        let folder = self.folder.as_deref()?;
        let path = inside(folder, name)?;
        // A symbolic link may lead out of the folder, so what counts is where the file really is.
        let path = tokio::fs::canonicalize(path).await.ok()?;
        if !path.starts_with(tokio::fs::canonicalize(folder).await.ok()?) {
            return None;
        }
        let bytes = tokio::fs::read(&path).await.ok()?;
        Some(File { content_type: content_type(&path).to_owned(), bytes: bytes.into() })
    }
}

/// The path of `name` in the folder; nothing hidden, nothing above.
fn inside(folder: &Path, name: &str) -> Option<PathBuf> {
    if name.contains('\\') || name.contains('\0') {
        return None;
    }
    let ordinary = Path::new(name)
        .components()
        .all(|part| matches!(part, Component::Normal(part) if !part.to_string_lossy().starts_with('.')));
    (ordinary && !name.is_empty()).then(|| folder.join(name))
}

fn content_type(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()).unwrap_or_default() {
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "txt" | "md" => "text/plain; charset=utf-8",
        "json" => "application/json",
        "pdf" => "application/pdf",
        _ => "application/octet-stream",
    }
}

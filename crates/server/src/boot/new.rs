//! `tessera new`: a folder with an App that runs.
//!
//! The templates are an App themselves, called `my-app`, and what is written is that text with another name in it:
//! so they are read, formatted and tried as what they become, which no template language would leave them.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::json;
use tessera_types::AppId;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What to write.
#[derive(Debug, clap::Args)]
pub(super) struct NewArgs {
    /// The App's id, and the folder's name: 3 to 32 letters, digits, `-`, `_` and `.`.
    name: String,
    /// One file of Python that needs no library, in place of a crate.
    #[arg(long)]
    python: bool,
    /// Where the App will listen.
    #[arg(long, default_value_t = 4000)]
    port: u16,
    /// The folder of the crate `tessera-driver`. [default: the one of the source that this program was built from, or
    /// else the registry's]
    #[arg(long, value_name = "PATH", conflicts_with = "python")]
    driver: Option<PathBuf>,
}

/// A file of a template: where it goes, and its text.
type File = (&'static str, &'static str);

const RUST: [File; 7] = [
    ("Cargo.toml", include_str!("../../scaffold/rust/Cargo.toml.in")),
    ("src/main.rs", include_str!("../../scaffold/rust/src/main.rs")),
    ("src/provider.rs", include_str!("../../scaffold/rust/src/provider.rs")),
    ("src/tests.rs", include_str!("../../scaffold/rust/src/tests.rs")),
    ("README.md", include_str!("../../scaffold/rust/README.md")),
    ("rustfmt.toml", include_str!("../../scaffold/rust/rustfmt.toml.in")),
    (".gitignore", include_str!("../../scaffold/rust/gitignore")),
];

const PYTHON: [File; 3] = [
    ("app.py", include_str!("../../scaffold/python/app.py")),
    ("README.md", include_str!("../../scaffold/python/README.md")),
    (".gitignore", include_str!("../../scaffold/python/gitignore")),
];

/// The driver beside this crate's own source.
const DRIVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../driver");

/// Names that Cargo does not take for a package of this kind, or that the App itself depends on.
const TAKEN: [&str; 12] = [
    "alloc",
    "build",
    "core",
    "deps",
    "examples",
    "incremental",
    "proc_macro",
    "reqwest",
    "serde",
    "serde_json",
    "test",
    "tokio",
];

/// Writes the folder below the current one, and says what to type next.
pub(super) fn run(args: &NewArgs, json: bool) -> Result<(), Failure> {
    let NewArgs { name, python, port, driver } = args;
    AppId::new(name.as_str()).map_err(|error| format!("{name:?} is no App id: {error}"))?;
    if name.starts_with(['.', '-']) {
        return Err(format!("{name:?} begins with a {:?}: begin with a letter", &name[..1]).into());
    }
    let folder = Path::new(name);
    let (driver, note) = match python {
        true => (String::new(), None),
        false => dependency(driver.as_deref())?,
    };
    make_empty(folder)?;
    let files: &[File] = if *python { &PYTHON } else { &RUST };
    for (path, text) in files {
        let text = match *path {
            "Cargo.toml" => {
                text.replace("tessera-driver = \"0.1\"", &driver).replace("my-app", &package(name))
            }
            _ => text.replace("my-app", name),
        };
        let text = text.replace("My App", &title(name)).replace("4000", &port.to_string());
        write(&folder.join(path), &text)?;
    }
    let run = if *python { "python3 app.py" } else { "cargo run" };
    let next = [format!("cd {name}"), run.to_owned(), format!("tessera dev http://localhost:{port}")];
    let names: Vec<&str> = files.iter().map(|(path, _)| *path).collect();
    let mut out = std::io::stdout().lock();
    if json {
        let said = json!({ "app_id": name, "folder": folder, "files": names, "note": note, "next": next });
        return Ok(writeln!(out, "{said}")?);
    }
    writeln!(out, "Wrote {name}: {}", names.join(", "))?;
    if let Some(note) = note {
        writeln!(out, "Note: {note}")?;
    }
    let [enter, run, dev] = next;
    Ok(writeln!(
        out,
        "\n  {enter}\n  {run:<36} # the App\n  {dev:<36} # in another terminal: a site that has it"
    )?)
}

/// Makes the folder, or finds it empty. Nothing that is there is ever written over.
fn make_empty(folder: &Path) -> Result<(), Failure> {
    let said = |error: std::io::Error| format!("{}: {error}", folder.display());
    fs::create_dir_all(folder).map_err(said)?;
    match fs::read_dir(folder).map_err(said)?.next() {
        None => Ok(()),
        Some(_) => Err(format!("{} is there and not empty: choose another name", folder.display()).into()),
    }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let said = |error: std::io::Error| format!("{}: {error}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(said)?;
    }
    let mut file = fs::File::create_new(path).map_err(said)?;
    Ok(file.write_all(text.as_bytes()).map_err(said)?)
}

/// The line for the driver, and what must be said about it.
fn dependency(driver: Option<&Path>) -> Result<(String, Option<String>), Failure> {
    let folder = match driver {
        Some(folder) if !folder.join("Cargo.toml").is_file() => {
            return Err(
                format!("{} holds no Cargo.toml: name the folder `crates/driver`", folder.display()).into()
            );
        }
        Some(folder) => folder,
        None => Path::new(DRIVER),
    };
    match folder.join("Cargo.toml").is_file() {
        true => {
            let folder = folder.canonicalize()?.display().to_string();
            let path = toml::Value::String(folder.clone());
            let note = format!("the driver is not on a registry yet: Cargo.toml takes it from {folder}");
            Ok((format!("tessera-driver = {{ path = {path} }}"), Some(note)))
        }
        false => {
            let note = "the driver is not on a registry yet, and its source is not here: check Tessera out, and name \
                        its folder `crates/driver` with --driver, or in Cargo.toml";
            Ok(("tessera-driver = \"0.1\"".into(), Some(note.into())))
        }
    }
}

/// A name that Cargo takes: App ids may hold dots, begin with a digit, and be in any script.
fn package(id: &str) -> String {
    let plain: String =
        id.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect();
    let taken = TAKEN.contains(&plain.as_str()) || plain.starts_with("tessera-");
    match plain.starts_with(|c: char| c.is_ascii_alphabetic()) && !taken {
        true => plain,
        false => format!("app-{plain}"),
    }
}

/// `my-app` as people read it: `My App`.
fn title(id: &str) -> String {
    let words = id.split(['-', '_', '.']).filter(|word| !word.is_empty());
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>())
    };
    match words.filter_map(capital).collect::<Vec<_>>().join(" ") {
        none if none.is_empty() => id.to_owned(),
        title => title,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_become_names_of_packages_and_titles() {
        for (id, name, shown) in [
            ("my-app", "my-app", "My App"),
            ("com.example.tea", "com-example-tea", "Com Example Tea"),
            ("4teas", "app-4teas", "4teas"),
            ("größe", "gr--e", "Größe"),
            ("tokio", "app-tokio", "Tokio"),
            ("___", "app-___", "___"),
            ("tessera-driver", "app-tessera-driver", "Tessera Driver"),
        ] {
            assert_eq!((package(id).as_str(), title(id).as_str()), (name, shown));
        }
    }
}

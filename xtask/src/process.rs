//! Running other programs: every failure names the command that failed.

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Command, Stdio},
};

use crate::Outcome;

/// The root of the workspace, whatever directory the command was called from.
pub(crate) fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map_or(here.clone(), PathBuf::from)
}

/// The cargo that called us, else the one in `PATH`; runs in the workspace root.
pub(crate) fn cargo<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    // What `cargo run` told us about ourselves would look like a changed environment to build scripts, and
    // every dependency with one would be built anew whenever plain cargo and xtask alternate.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"]
            .iter()
            .any(|about| name.starts_with(about))
        {
            command.env_remove(name.as_ref());
        }
    }
    command
}

/// Where cargo puts what it builds.
pub(crate) fn target_directory() -> Outcome<PathBuf> {
    let mut command = cargo(["metadata", "--no-deps", "--format-version", "1"]);
    let metadata: serde_json::Value = serde_json::from_str(&output(&mut command)?)
        .map_err(|error| format!("`{}`: {error}", shown(&command)))?;
    let target = metadata["target_directory"].as_str();
    target.map(PathBuf::from).ok_or_else(|| format!("`{}` named no target_directory", shown(&command)))
}

/// The command as one would type it, for messages.
pub(crate) fn shown(command: &Command) -> String {
    let program = PathBuf::from(command.get_program());
    let mut line = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    for argument in command.get_args() {
        let argument = argument.to_string_lossy();
        line.push(' ');
        if argument.contains([' ', '(']) {
            line.push_str(&format!("'{argument}'"));
        } else {
            line.push_str(&argument);
        }
    }
    line
}

/// Runs the command on our terminal; `Err` names it and how it ended.
pub(crate) fn run(command: &mut Command) -> Outcome<()> {
    let status = command.status().map_err(|error| format!("cannot start `{}`: {error}", shown(command)))?;
    if status.success() { Ok(()) } else { Err(format!("`{}` ended with {status}", shown(command))) }
}

/// Whether the command exists and ends well; its output is dropped.
pub(crate) fn works(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Runs the command and returns its standard output; standard error stays on our terminal.
pub(crate) fn output(command: &mut Command) -> Outcome<String> {
    let (text, ended) = tee(command, |_| ())?;
    ended.map(|()| text)
}

/// Runs the command, hands each line of its standard output to `each` as it comes, and returns the
/// text with how the command ended. The outer `Err` means that it could not be run at all.
pub(crate) fn tee(command: &mut Command, mut each: impl FnMut(&str)) -> Outcome<(String, Outcome<()>)> {
    let name = shown(command);
    let broken = |error: std::io::Error| format!("cannot run `{name}`: {error}");
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(broken)?;
    let mut text = String::new();
    if let Some(stdout) = child.stdout.take() {
        let mut reader = BufReader::new(stdout);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).map_err(broken)? > 0 {
            let shown = String::from_utf8_lossy(&line);
            each(shown.trim_end_matches('\n'));
            text.push_str(&shown);
            line.clear();
        }
    }
    let status = child.wait().map_err(broken)?;
    let ended = if status.success() { Ok(()) } else { Err(format!("`{name}` ended with {status}")) };
    Ok((text, ended))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_one_would_type_it() {
        let mut command = Command::new("/opt/bin/cargo");
        command.args(["nextest", "-E", "not test(postgres)"]);
        assert_eq!(shown(&command), "cargo nextest -E 'not test(postgres)'");
    }

    #[test]
    fn a_failing_command_is_named_and_its_output_is_kept() {
        let (text, ended) =
            tee(Command::new("sh").args(["-c", "echo one; echo two; exit 3"]), |_| ()).unwrap();
        assert_eq!(text, "one\ntwo\n");
        assert_eq!(ended.unwrap_err(), "`sh -c 'echo one; echo two; exit 3'` ended with exit status: 3");
    }

    #[test]
    fn a_missing_command_is_named() {
        let error = run(&mut Command::new("no-such-command-here")).unwrap_err();
        assert!(error.starts_with("cannot start `no-such-command-here`: "), "{error}");
    }
}

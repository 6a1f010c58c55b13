//! The log: one line an event, on standard error, as text or as JSON; each with the request and the trace that it
//! belongs to. Nothing of it may hold a secret (OS-51).

use std::fmt;
use std::io::IsTerminal as _;

use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::{Format, Json, JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::config;
use crate::trail;

/// Starts the log of this process.
pub(super) fn start(log: &config::Log) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let filter = EnvFilter::try_new(&log.level).map_err(|error| {
        config::Error::new(
            "log.level",
            format!("{error}: write info, or a filter such as tessera_server=debug"),
        )
    })?;
    let colours = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match log.json {
        true => {
            let format = AsJson(Format::default().json());
            builder.fmt_fields(JsonFields::new()).event_format(format).init();
        }
        false => builder.with_ansi(colours).event_format(AsText(Format::default().with_ansi(colours))).init(),
    }
    // What a panic says may hold anything, a secret included: only its place is told.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a task panicked");
    }));
    Ok(())
}

/// A line of text, with the trail at its end.
struct AsText(Format);

/// A JSON object, with the trail as its last members.
struct AsJson(Format<Json>);

impl<S, N> FormatEvent<S, N> for AsText
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = String::new();
        self.0.format_event(context, Writer::new(&mut line), event)?;
        writer.write_str(&one_line(line.trim_end()))?;
        if let Some(trail) = trail::current() {
            write!(writer, " request={} trace={}", trail.request(), trail.trace())?;
        }
        writer.write_char('\n')
    }
}

impl<S, N> FormatEvent<S, N> for AsJson
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = String::new();
        self.0.format_event(context, Writer::new(&mut line), event)?;
        let object = line.trim_end();
        match (trail::current(), object.strip_suffix('}')) {
            // Both are plain characters, whoever chose them.
            (Some(trail), Some(open)) => {
                writeln!(
                    writer,
                    "{open},\"request\":\"{}\",\"trace\":\"{}\"}}",
                    trail.request(),
                    trail.trace()
                )
            }
            _ => writeln!(writer, "{object}"),
        }
    }
}

/// What somebody else wrote cannot begin a line of its own.
fn one_line(text: &str) -> std::borrow::Cow<'_, str> {
    match text.contains(['\n', '\r']) {
        true => text.replace('\n', "\\n").replace('\r', "\\r").into(),
        false => text.into(),
    }
}

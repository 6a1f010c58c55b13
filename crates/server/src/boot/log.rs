//! The log: one line an event, on standard error, as text or as JSON; each with the request and the trace that it
//! belongs to. Nothing of it may hold a secret (OS-51).

use std::fmt;
use std::io::IsTerminal as _;

use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{Format, Json, JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use super::config;
use super::traces::Traces;
use crate::trail;

/// Starts the log of this process, and has its lines become spans where traces are sent somewhere.
pub(super) fn start(log: &config::Log, traces: &Traces) -> Result<(), config::Error> {
    let filter = EnvFilter::try_new(&log.level).map_err(|error| {
        let what = format!("{error}: write info, or a filter such as tessera_server=debug");
        config::Error::new("log.level", what)
    })?;
    let colours = std::io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match log.json {
        true => {
            let format = AsJson(Format::default().json());
            lines.fmt_fields(JsonFields::new()).event_format(format).with_filter(filter).boxed()
        }
        false => {
            let format = AsText(Format::default().with_ansi(colours));
            lines.with_ansi(colours).event_format(format).with_filter(filter).boxed()
        }
    };
    // A layer without a filter of its own would have every line made, wanted or not: there is none without traces.
    match traces.layer() {
        Some(spans) => tracing_subscriber::registry().with(lines).with(spans).init(),
        None => tracing_subscriber::registry().with(lines).init(),
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

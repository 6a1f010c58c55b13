//! Where the larger arrays and objects of a checked text end, so that a reader can step over them.

/// Shorter ones are cheaper to read again than to remember.
const WORTH_NOTING: usize = 256;

/// Deeper ones are never reached by a typed reader, only carried along.
const DEEPEST: usize = 1_000;

/// The noted arrays and objects, in the order in which they begin.
#[derive(Default)]
pub(super) struct Index {
    /// Start, and the byte after the end.
    spans: Vec<(u32, u32)>,
    off: bool,
}

impl Index {
    /// Longer texts than 4 GiB are not noted, only read again.
    pub(super) fn for_text(len: usize) -> Self {
        Self { spans: Vec::new(), off: u32::try_from(len).is_err() }
    }

    /// Notes an opening at `start`, inside `depth` others; the ticket is for `close`.
    pub(super) fn open(&mut self, start: usize, depth: usize) -> Option<usize> {
        let start = u32::try_from(start).ok().filter(|_| !self.off && depth < DEEPEST)?;
        self.spans.push((start, start));
        Some(self.spans.len() - 1)
    }

    /// Notes that it ends before `end`. One too short to note is dropped: what it held was shorter, and is gone.
    pub(super) fn close(&mut self, ticket: usize, end: usize) {
        let Some(span) = self.spans.get_mut(ticket) else { return };
        let end = u32::try_from(end).unwrap_or(span.0);
        if ((end - span.0) as usize) < WORTH_NOTING {
            self.spans.truncate(ticket);
        } else {
            span.1 = end;
        }
    }

    /// The byte after what begins at `start`, when that was worth noting.
    pub(super) fn end_of(&self, start: usize) -> Option<usize> {
        let start = u32::try_from(start).ok()?;
        let found = self.spans.binary_search_by_key(&start, |span| span.0).ok()?;
        self.spans.get(found).map(|span| span.1 as usize)
    }
}

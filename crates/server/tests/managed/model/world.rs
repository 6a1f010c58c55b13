//! What the model walks over: a row, the processes that write it, a provider, and the requests between them.
//!
//! Time is relative: every number of ticks says how far something is from now, so that equal situations at different
//! times are one state.

use tessera_server::grants::machine::{self, Next, Rules, Status};
use tessera_server::grants::swap;
use tessera_server::providers::{Class, Failure};
use tessera_server::store::ManagedRow;

/// One tick of the model, ms.
const TICK: i64 = 1_000;
/// Now, Unix ms: any number will do.
const NOW: i64 = 1_000_000;
/// How long a request may take, ticks: a sixth of the grace.
pub(super) const PATIENCE: i8 = 2;
/// How long it keeps others away, ticks: half as long again.
pub(super) const LEASE: i8 = 3;
/// How long a spent refresh token works, where it does, ticks.
pub(super) const GRACE: i8 = 12;
/// The most tokens that one story needs.
const TOKENS: usize = 8;
/// Of a refresh token that was not spent.
const UNSPENT: i8 = -1;

/// What a provider does with refresh tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// A spent one works for a while; after that it ends the grant.
    Grace,
    /// A spent one is refused.
    NoGrace,
    /// A spent one ends the grant.
    FamilyDies,
}

/// A rule that is switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Sabotage {
    None,
    ReleaseBeforeDurable,
    SkipTheFence,
    ForgetTheIntent,
    /// Who was held up since the claim sends all the same.
    SendLate,
}

/// How much may still go wrong, and how many readers may still come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Budget {
    /// Deaths, stops, lost replies and refusals that say nothing of the grant.
    pub(super) misfortunes: u8,
    pub(super) readers: u8,
}

/// The row, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Row {
    pub(super) generation: u8,
    pub(super) status: u8,
    pub(super) phase: u8,
    pub(super) fence: u8,
    pub(super) answered: u8,
    /// Ticks until the lease ends.
    lease: i8,
    /// Ticks until it is looked at; None never.
    due: Option<i8>,
    attempts: u8,
    /// Which tokens it holds.
    pub(super) tokens: u8,
}

impl Row {
    /// As the service's own functions read it.
    fn managed(self) -> ManagedRow {
        ManagedRow {
            held: Vec::new(),
            expires_at: None,
            issued_at: 0,
            due_at: self.due.map(|ticks| NOW + i64::from(ticks) * TICK),
            status: self.status.into(),
            code: String::new(),
            phase: self.phase.into(),
            fence: self.fence.into(),
            answered: self.answered.into(),
            lease_until: NOW + i64::from(self.lease) * TICK,
            attempts: self.attempts.into(),
            client: String::new(),
            about: String::new(),
        }
    }

    /// What those made of it.
    fn changed(self, by: impl FnOnce(&mut ManagedRow)) -> Self {
        let mut row = self.managed();
        by(&mut row);
        let ticks = |at: i64| i8::try_from((at - NOW).max(0).div_ceil_to(TICK)).unwrap();
        Self {
            status: row.status.try_into().unwrap(),
            phase: row.phase.try_into().unwrap(),
            fence: row.fence.try_into().unwrap(),
            answered: row.answered.try_into().unwrap(),
            lease: ticks(row.lease_until),
            due: row.due_at.map(ticks),
            attempts: row.attempts.try_into().unwrap(),
            ..self
        }
    }

    fn next(self) -> Next {
        machine::next(&self.managed(), NOW)
    }

    fn is_due(self) -> bool {
        self.due == Some(0)
    }
}

trait DivCeil {
    fn div_ceil_to(self, by: i64) -> i64;
}

impl DivCeil for i64 {
    fn div_ceil_to(self, by: i64) -> i64 {
        (self + by - 1) / by
    }
}

/// A request that a process made up its mind to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Asking {
    /// The row that was read.
    read: Row,
    fence: u8,
    after_unknown: bool,
    /// The token that a reader does not want any more; None where nobody waits.
    reader: Option<u8>,
    /// Ticks since the claim.
    pub(super) since_claim: i8,
    /// Ticks since it was sent.
    since_sent: i8,
}

/// What a provider says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Reply {
    Tokens(u8),
    /// Not now; and whether its work may be done all the same.
    Transient {
        outcome_unknown: bool,
    },
    Terminal,
}

/// Where a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum At {
    Down,
    Idle,
    /// About to read the row, for a reader (who does not want these tokens any more) or by itself.
    Looking(Option<u8>),
    Claiming(Asking),
    Claimed(Asking),
    /// Sent; the reply, once the provider has done its work.
    Waiting(Asking, Option<Reply>),
    /// The reply is in memory; the generation that it is to replace.
    Got(Asking, Reply, u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Process {
    pub(super) at: At,
    pub(super) paused: bool,
}

/// A request whose sender is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Orphan {
    tokens: u8,
    since_sent: i8,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub(super) row: Row,
    pub(super) processes: Vec<Process>,
    orphans: Vec<Orphan>,
    /// Ticks since each refresh token was spent.
    spent: [i8; TOKENS],
    issued: u8,
    pub(super) family_dead: bool,
    /// Whether a reply with tokens was lost.
    reply_lost: bool,
    pub(super) budget: Budget,
}

/// What happens next.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) world: World,
    /// A misfortune: what must go well may not count on it.
    pub(super) misfortune: bool,
    /// Whether an earlier request's reply was written over a later one's.
    pub(super) overwritten: bool,
    /// Whether a reader was given what is not durable.
    pub(super) leaked: bool,
}

/// What stays the same in one story.
#[derive(Debug, Clone, Copy)]
pub(super) struct Laws {
    pub(super) kind: Kind,
    pub(super) sabotage: Sabotage,
}

impl Laws {
    fn rules(self) -> Rules {
        let grace = if self.kind == Kind::Grace { GRACE } else { 0 };
        Rules { rotates: true, grace_ms: i64::from(grace) * TICK }
    }
}

impl World {
    pub(super) fn new(processes: usize, budget: Budget) -> Self {
        let row = Row {
            generation: 0,
            status: 0,
            phase: 0,
            fence: 0,
            answered: 0,
            lease: 0,
            // Nothing but a reader, or a memory of what was begun, brings anybody to look.
            due: None,
            attempts: 0,
            tokens: 0,
        };
        let process = Process { at: At::Idle, paused: false };
        let (processes, spent) = (vec![process; processes], [UNSPENT; TOKENS]);
        Self {
            row,
            processes,
            orphans: Vec::new(),
            spent,
            issued: 1,
            family_dead: false,
            reply_lost: false,
            budget,
        }
    }

    /// Nobody is busy, and the refresh token that is stored works, or nothing can be done any more.
    pub(super) fn at_rest(&self) -> bool {
        let works = self.spent[usize::from(self.row.tokens)] == UNSPENT;
        let calm = works && self.row.attempts == 0;
        // One that ended at the provider is found out by whoever refreshes it next.
        let ended = self.family_dead || Status::of(self.row.status.into()) == Status::Dead;
        let busy = |process: &Process| !matches!(process.at, At::Idle | At::Down);
        (calm || ended) && !self.processes.iter().any(busy)
    }

    /// Whether a reply with tokens was lost, or did not become durable within its lease.
    pub(super) fn lost_a_reply(&self) -> bool {
        let late = |process: &Process| match process.at {
            At::Waiting(asking, Some(Reply::Tokens(_))) | At::Got(asking, Reply::Tokens(_), _) => {
                asking.since_claim >= LEASE
            }
            _ => false,
        };
        self.reply_lost || self.processes.iter().any(late)
    }

    /// Everything that can happen now.
    pub(super) fn steps(&self, laws: Laws) -> Vec<Step> {
        let mut steps = Vec::new();
        for index in 0..self.processes.len() {
            self.steps_of(index, laws, &mut steps);
        }
        for index in 0..self.orphans.len() {
            let mut world = self.clone();
            let orphan = world.orphans.swap_remove(index);
            let never = world.clone();
            if let Reply::Tokens(_) = world.carry_out(orphan.tokens, laws) {
                world.reply_lost = true;
            }
            steps.push(step(world));
            // Or it never got there.
            steps.push(step(never));
        }
        // Time goes on only when everybody who can do something at once has done it.
        if !self.somebody_is_about_to() {
            steps.push(step(self.later()));
        }
        steps.iter_mut().for_each(|step| step.world.forget(laws));
        steps
    }

    /// What makes no difference any more makes no other state.
    fn forget(&mut self, laws: Laws) {
        // Processes are all alike, and so are requests whose senders are gone.
        self.processes.sort_unstable();
        self.orphans.sort_unstable();
        let mut held = 1_u16 << self.row.tokens;
        for process in &self.processes {
            match process.at {
                At::Claiming(asking) | At::Claimed(asking) | At::Waiting(asking, None) => {
                    held |= 1 << asking.read.tokens;
                }
                _ => {}
            }
        }
        self.orphans.iter().for_each(|orphan| held |= 1 << orphan.tokens);
        for (token, spent) in self.spent.iter_mut().enumerate() {
            if held & (1 << token) == 0 {
                *spent = UNSPENT;
            }
        }
        // Where there is a grace, no loss is excused by it.
        self.reply_lost &= laws.kind != Kind::Grace;
    }

    fn somebody_is_about_to(&self) -> bool {
        let awake = |process: &&Process| !process.paused && process.at != At::Down;
        let all_paused = !self.processes.iter().any(|process| awake(&process));
        let due = self.row.is_due() && matches!(self.row.next(), Next::Ask { .. });
        let mut awake = self.processes.iter().filter(awake);
        let urgent = |process: &Process| match process.at {
            At::Claiming(_) | At::Claimed(_) | At::Got(..) => true,
            At::Looking(_) => !matches!(self.row.next(), Next::Wait(_)),
            At::Waiting(asking, _) => asking.since_sent >= PATIENCE,
            At::Idle => due,
            At::Down => false,
        };
        // A provider takes as long as it may, unless that is one of the misfortunes.
        let begins = |process: &Process| match process.at {
            At::Waiting(asking, None) => asking.since_sent + 1 >= PATIENCE && self.budget.misfortunes == 0,
            _ => false,
        };
        if self.processes.iter().any(begins) {
            return true;
        }
        // A service that is down or stopped as a whole comes back before a grace ends: nothing could help otherwise.
        all_paused || awake.any(urgent) || self.orphans.iter().any(|orphan| orphan.since_sent + 1 >= PATIENCE)
    }

    fn later(&self) -> Self {
        fn sooner(ticks: i8) -> i8 {
            (ticks - 1).max(0)
        }
        let mut world = self.clone();
        world.row.lease = sooner(world.row.lease);
        world.row.due = world.row.due.map(sooner);
        for process in &mut world.processes {
            match &mut process.at {
                At::Waiting(asking, _) => {
                    asking.since_claim = (asking.since_claim + 1).min(LEASE);
                    asking.since_sent = (asking.since_sent + 1).min(PATIENCE + 1);
                }
                At::Claimed(asking) | At::Got(asking, ..) => {
                    asking.since_claim = (asking.since_claim + 1).min(LEASE);
                }
                _ => {}
            }
            // What was read is compared by its numbers alone.
            if let At::Claiming(asking) | At::Claimed(asking) | At::Waiting(asking, _) | At::Got(asking, ..) =
                &mut process.at
            {
                asking.read.lease = 0;
                asking.read.due = None;
            }
        }
        for orphan in &mut world.orphans {
            orphan.since_sent = (orphan.since_sent + 1).min(PATIENCE);
        }
        for spent in &mut world.spent {
            if *spent != UNSPENT {
                *spent = (*spent + 1).min(GRACE);
            }
        }
        world
    }

    /// The provider does what it is asked with this refresh token.
    fn carry_out(&mut self, tokens: u8, laws: Laws) -> Reply {
        let spent = self.spent[usize::from(tokens)];
        let works = match laws.kind {
            Kind::Grace => spent < GRACE,
            Kind::NoGrace | Kind::FamilyDies => spent == UNSPENT,
        };
        if self.family_dead || !works {
            self.family_dead |= laws.kind != Kind::NoGrace;
            return Reply::Terminal;
        }
        if spent == UNSPENT {
            self.spent[usize::from(tokens)] = 0;
        }
        let fresh = self.issued;
        assert!(usize::from(fresh) < TOKENS, "a story needs more tokens than there are: {self:?}");
        self.issued += 1;
        Reply::Tokens(fresh)
    }

    fn steps_of(&self, index: usize, laws: Laws, steps: &mut Vec<Step>) {
        let process = self.processes[index];
        let with = |at| {
            let mut world = self.clone();
            world.processes[index].at = at;
            world
        };
        if let At::Waiting(asking, None) = process.at
            && asking.since_sent < PATIENCE
        {
            let mut world = self.clone();
            let reply = world.carry_out(asking.read.tokens, laws);
            world.processes[index].at = At::Waiting(asking, Some(reply));
            steps.push(step(world));
        }
        if process.paused {
            let mut world = self.clone();
            world.processes[index].paused = false;
            steps.push(step(world));
            return;
        }
        if process.at == At::Down {
            let mut world = with(At::Idle);
            if self.processes.len() == 1 && self.row.phase == 1 {
                // Where one process writes, its start takes over what the last one began.
                world.row.lease = 0;
                world.row.due = Some(0);
            }
            steps.push(step(world));
            return;
        }
        if self.budget.misfortunes > 0 {
            let world = self.crashed(index);
            if let [Orphan { tokens, .. }] = world.orphans[..]
                && self.processes.len() == 1
            {
                // Who starts again alone asks at once: what the last one sent is assumed to be done by then, or never.
                let mut done = World { orphans: Vec::new(), ..world.clone() };
                done.reply_lost |= matches!(done.carry_out(tokens, laws), Reply::Tokens(_));
                steps.push(misfortune(done));
                steps.push(misfortune(World { orphans: Vec::new(), ..world }));
            } else {
                steps.push(misfortune(world));
            }
        }
        if self.budget.misfortunes > 0 && !matches!(process.at, At::Idle | At::Looking(_)) {
            let mut world = self.clone();
            world.budget.misfortunes -= 1;
            world.processes[index].paused = true;
            steps.push(misfortune(world));
        }
        match process.at {
            At::Down => {}
            At::Idle => {
                if self.row.is_due() && matches!(self.row.next(), Next::Ask { .. }) {
                    steps.push(step(with(At::Looking(None))));
                }
                if self.budget.readers > 0 {
                    let mut world = with(At::Looking(Some(self.row.tokens)));
                    world.budget.readers -= 1;
                    steps.push(step(world));
                }
            }
            At::Looking(reader) => steps.extend(self.look(reader, with)),
            At::Claiming(asking) => steps.push(step(self.claim(index, asking, laws))),
            At::Claimed(asking) => {
                // Whoever was held up since the claim does not send.
                let next = match asking.since_claim > LEASE - PATIENCE && laws.sabotage != Sabotage::SendLate
                {
                    true => At::Looking(asking.reader),
                    false => At::Waiting(Asking { since_sent: 0, ..asking }, None),
                };
                steps.push(step(with(next)));
            }
            At::Waiting(asking, reply) => self.wait(index, asking, reply, steps),
            At::Got(asking, reply, expected) => {
                if laws.sabotage == Sabotage::ReleaseBeforeDurable
                    && let (Some(_), Reply::Tokens(fresh)) = (asking.reader, reply)
                {
                    steps.push(Step { leaked: self.row.tokens != fresh, ..step(with(At::Idle)) });
                }
                steps.push(self.keep(index, asking, reply, expected, laws));
            }
        }
    }

    /// A process reads the row and makes up its mind.
    fn look(&self, reader: Option<u8>, with: impl Fn(At) -> Self) -> Option<Step> {
        if let Some(old) = reader
            && old != self.row.tokens
        {
            // What it is given is what the row has.
            return Some(step(with(At::Idle)));
        }
        if reader.is_none() && !self.row.is_due() {
            return Some(step(with(At::Idle)));
        }
        match self.row.next() {
            Next::Ask { fence, after_unknown } => {
                let fence = fence.try_into().unwrap();
                let read = Row { lease: 0, due: None, ..self.row };
                let asking = Asking { read, fence, after_unknown, reader, since_claim: 0, since_sent: 0 };
                Some(step(with(At::Claiming(asking))))
            }
            // A reader stays and waits; who looks ahead comes again when it is due.
            Next::Wait(_) if reader.is_some() => None,
            Next::Wait(_) | Next::Pause(_) | Next::Dead => Some(step(with(At::Idle))),
        }
    }

    fn claim(&self, index: usize, asking: Asking, laws: Laws) -> Self {
        let mut world = self.clone();
        if laws.sabotage == Sabotage::ForgetTheIntent {
            world.processes[index].at = At::Claimed(asking);
            return world;
        }
        let (row, read) = (self.row, asking.read);
        let may =
            row.generation == read.generation && swap::may_claim(&row.managed(), read.fence.into(), NOW);
        world.processes[index].at = match may {
            true => {
                world.row = row.changed(|row| swap::claim(row, NOW + i64::from(LEASE) * TICK));
                At::Claimed(asking)
            }
            false => At::Looking(asking.reader),
        };
        world
    }

    /// A request is at the provider, or its reply on the way.
    fn wait(&self, index: usize, asking: Asking, reply: Option<Reply>, steps: &mut Vec<Step>) {
        let got = |reply| At::Got(asking, reply, asking.read.generation);
        let lost = Reply::Transient { outcome_unknown: true };
        match reply {
            None => {
                if self.budget.misfortunes > 0 {
                    // A word of the provider's own, or a gateway's that does not know what is behind it.
                    for outcome_unknown in [false, true] {
                        let mut world = self.clone();
                        world.budget.misfortunes -= 1;
                        world.processes[index].at = got(Reply::Transient { outcome_unknown });
                        steps.push(misfortune(world));
                    }
                }
            }
            Some(reply) => {
                let mut world = self.clone();
                world.processes[index].at = got(reply);
                steps.push(step(world));
                if self.budget.misfortunes > 0 {
                    let mut world = self.clone();
                    world.budget.misfortunes -= 1;
                    world.reply_lost |= matches!(reply, Reply::Tokens(_));
                    world.processes[index].at = got(lost);
                    steps.push(misfortune(world));
                }
            }
        }
        // Given up: at no price by who was stopped meanwhile, and else because the provider is slower than it may be.
        let stopped = asking.since_sent > PATIENCE;
        if asking.since_sent >= PATIENCE && (stopped || reply.is_none() || self.budget.misfortunes > 0) {
            let mut world = self.clone();
            if !stopped {
                world.budget.misfortunes = world.budget.misfortunes.saturating_sub(1);
            }
            match reply {
                Some(Reply::Tokens(_)) => world.reply_lost = true,
                Some(_) => {}
                // The provider may not have begun yet.
                None => world.abandon(asking),
            }
            world.processes[index].at = got(lost);
            // Where the provider never began, nothing else is left.
            let misfortune = !stopped && reply.is_some();
            steps.push(Step { misfortune, ..step(world) });
        }
    }

    /// Its sender is gone. Within the time that it had, the provider may carry it out all the same; what comes later than
    /// that is assumed to be done by nobody.
    fn abandon(&mut self, asking: Asking) {
        if asking.since_sent < PATIENCE {
            self.orphans.push(Orphan { tokens: asking.read.tokens, since_sent: asking.since_sent });
        }
    }

    /// What came is written, as the row allows.
    fn keep(&self, index: usize, asking: Asking, reply: Reply, expected: u8, laws: Laws) -> Step {
        let mut world = self.clone();
        if laws.sabotage == Sabotage::ForgetTheIntent && self.row.fence < asking.fence {
            // What should have come first comes now, so that the rest is as ever.
            world.row = self.row.changed(|row| swap::claim(row, NOW + i64::from(LEASE) * TICK));
            return step(world);
        }
        let (row, fence) = (self.row.managed(), i64::from(asking.fence));
        match reply {
            Reply::Tokens(fresh) => {
                let may = swap::may_answer(&row, fence) || laws.sabotage == Sabotage::SkipTheFence;
                if !may {
                    world.processes[index].at = At::Looking(asking.reader);
                } else if self.row.generation != expected {
                    // Something else was written meanwhile: it is read, and this is to go in its place.
                    world.processes[index].at = At::Got(asking, reply, self.row.generation);
                } else {
                    world.row = self.row.changed(|row| {
                        swap::answer(row, fence, Status::Connected, None);
                    });
                    world.reply_lost |= asking.since_claim >= LEASE;
                    world.row.generation += 1;
                    world.row.tokens = fresh;
                    world.processes[index].at = At::Looking(asking.reader);
                    let overwritten = asking.fence < self.row.answered;
                    return Step { overwritten, ..step(world) };
                }
            }
            Reply::Transient { .. } | Reply::Terminal => {
                let may = self.row.generation == asking.read.generation && swap::may_settle(&row, fence);
                if may {
                    let failure = failure(reply);
                    let read = asking.read.managed();
                    let fallen =
                        machine::fallen(&read, asking.after_unknown, &failure, laws.rules(), NOW, 0.0);
                    world.row = self.row.changed(|row| swap::settle(row, &fallen.settled));
                }
                world.processes[index].at = At::Idle;
            }
        }
        step(world)
    }

    fn crashed(&self, index: usize) -> Self {
        let mut world = self.clone();
        world.budget.misfortunes -= 1;
        match self.processes[index].at {
            At::Waiting(asking, None) => world.abandon(asking),
            At::Waiting(_, Some(Reply::Tokens(_))) | At::Got(_, Reply::Tokens(_), _) => {
                world.reply_lost = true;
            }
            _ => {}
        }
        world.processes[index].at = At::Down;
        world
    }
}

fn failure(reply: Reply) -> Failure {
    let (class, outcome_unknown) = match reply {
        Reply::Transient { outcome_unknown } => (Class::Transient, outcome_unknown),
        Reply::Terminal | Reply::Tokens(_) => (Class::Terminal, false),
    };
    Failure { class, code: String::new(), status: 0, retry_after: None, outcome_unknown }
}

fn step(world: World) -> Step {
    Step { world, misfortune: false, overwritten: false, leaked: false }
}

fn misfortune(world: World) -> Step {
    Step { misfortune: true, ..step(world) }
}

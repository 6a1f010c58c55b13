//! What is done in which round: every step at every kind of provider that it makes sense at, in an order of chance.

/// Where the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// Nothing was claimed, nothing sent.
    BeforeClaim,
    /// The intent is durable, nothing was sent.
    Claimed,
    /// The provider has done its work, and its reply is on the way.
    InFlight,
    /// The reply is in memory.
    Replied,
    /// The reply is durable, and nobody was told.
    Stored,
    /// A reader has the new token.
    Answered,
    /// A refusal that says nothing of the grant is noted.
    Settled,
    /// A code was swapped for another grant of the person, which is in memory.
    Swapped,
    /// The other grant is durable, and the one before waits for its end at the provider.
    Kept,
    /// A disconnect is durable, and the grant waits for its end at the provider.
    Leaving,
    /// The grant was ended at the provider, which is not noted.
    Revoked,
    /// Not ended but stopped, beyond its lease: another process asked meanwhile, and has a reply.
    LateAmongOthers,
    /// The same, and the other process was refused: the late reply is the only one that exists.
    LateAlone,
}

impl Step {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::BeforeClaim => "before-claim",
            Self::Claimed => "claimed",
            Self::InFlight => "in-flight",
            Self::Replied => "replied",
            Self::Stored => "stored",
            Self::Answered => "answered",
            Self::Settled => "settled",
            Self::Swapped => "swapped",
            Self::Kept => "kept",
            Self::Leaving => "leaving",
            Self::Revoked => "revoked",
            Self::LateAmongOthers => "late, refused",
            Self::LateAlone => "late, merged",
        }
    }

    /// What is shown where nothing is lost at it that may not be, as the name of a test.
    pub(crate) const fn shows(self) -> &'static str {
        match self {
            Self::BeforeClaim => "os_32_killed_before_the_claim",
            Self::Claimed => "os_32_killed_with_the_intent_durable_and_nothing_sent",
            Self::InFlight => "os_32_killed_with_the_reply_on_its_way",
            Self::Replied => "os_32_killed_with_the_reply_in_memory",
            Self::Stored => "os_32_killed_with_the_reply_durable_and_nobody_told",
            Self::Answered => "os_32_killed_when_a_reader_has_the_token",
            Self::Settled => "os_32_killed_with_a_failure_noted",
            Self::Swapped => "killed_with_a_new_grant_in_memory_the_one_before_works",
            Self::Kept => "killed_with_a_new_grant_durable_the_one_before_is_ended",
            Self::Leaving => "killed_between_disconnect_and_revocation_it_follows",
            Self::Revoked => "killed_between_revocation_and_its_note_it_is_noted",
            Self::LateAmongOthers => {
                "os_31_a_reply_beyond_the_lease_is_refused_where_a_later_one_is_on_postgres"
            }
            Self::LateAlone => {
                "os_31_a_reply_beyond_the_lease_is_merged_where_it_is_the_only_one_on_postgres"
            }
        }
    }

    const IN_ONE_PROCESS: [Self; 11] = [
        Self::BeforeClaim,
        Self::Claimed,
        Self::InFlight,
        Self::Replied,
        Self::Stored,
        Self::Answered,
        Self::Settled,
        Self::Swapped,
        Self::Kept,
        Self::Leaving,
        Self::Revoked,
    ];
}

/// What a provider does with refresh tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Each is spent by its use, works for half a minute more, and after that ends the grant.
    Grace,
    /// Each is spent by its use.
    NoGrace,
    /// Each is spent by its use, and ends the grant when it is used again.
    FamilyDies,
    /// Now and then one is spent; then it works for half a minute more.
    Sometimes,
    /// They stay.
    Never,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] =
        [Self::Grace, Self::NoGrace, Self::FamilyDies, Self::Sometimes, Self::Never];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Grace => "rotates, with grace",
            Self::NoGrace => "rotates",
            Self::FamilyDies => "rotates, reuse ends the grant",
            Self::Sometimes => "rotates now and then, with grace",
            Self::Never => "does not rotate",
        }
    }

    /// Whether a reply that never becomes durable may cost the grant.
    pub(crate) const fn may_lose(self) -> bool {
        matches!(self, Self::NoGrace | Self::FamilyDies)
    }
}

/// Every round there is, dealt anew when all were played.
pub(crate) struct Deck {
    all: Vec<(Step, Kind)>,
    left: Vec<(Step, Kind)>,
    chance: u64,
}

impl Deck {
    /// Where a rule is switched off, only the steps at which that must show.
    pub(crate) fn shuffled_by(seed: u64, with_postgres: bool, sabotage: Option<&str>) -> Self {
        let steps: &[Step] = match sabotage {
            None => &Step::IN_ONE_PROCESS,
            Some("skip-the-fence") => &[],
            Some(_) => &[Step::InFlight, Step::Replied, Step::Answered],
        };
        let mut all = Vec::new();
        for step in steps {
            all.extend(Kind::ALL.map(|kind| (*step, kind)));
        }
        if with_postgres && (steps.is_empty() || sabotage.is_none()) {
            all.extend([(Step::LateAmongOthers, Kind::Grace), (Step::LateAlone, Kind::NoGrace)]);
        }
        Self { all, left: Vec::new(), chance: seed }
    }

    pub(crate) fn draw(&mut self) -> (Step, Kind) {
        if self.left.is_empty() {
            self.left.clone_from(&self.all);
        }
        let place = usize::try_from(self.chance() % self.left.len() as u64).unwrap();
        self.left.swap_remove(place)
    }

    /// SplitMix64: a run can be repeated by its seed.
    fn chance(&mut self) -> u64 {
        self.chance = self.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.chance ^ (self.chance >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

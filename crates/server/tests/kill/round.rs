//! One round: a step, a death, a new start, and what is left.

use tessera_testkit::wire::try_send;

use crate::deck::{Kind, Step};
use crate::outside::until;
use crate::stage::Stage;
use crate::table::Ended;

/// Refreshes that ended one way or the other.
const REFRESHES: &str = "tessera_refreshes_total";
/// Grants that were ended at their provider.
const REVOCATIONS: &str = "tessera_revocations_total";

/// Why a grant does not work.
enum Fault {
    /// It has ended.
    Gone(String),
    /// Something else is wrong.
    Other(String),
}

impl Fault {
    /// What a reader was answered.
    fn of(why: String) -> Self {
        if why.contains("needs_reconnect") { Self::Gone(why) } else { Self::Other(why) }
    }
}

impl From<Fault> for Ended {
    fn from(fault: Fault) -> Self {
        let (Fault::Gone(why) | Fault::Other(why)) = fault;
        Self::Wrong(why)
    }
}

impl Stage {
    pub(crate) async fn round(&mut self, step: Step, kind: Kind) -> Ended {
        let place = Kind::ALL.iter().position(|one| *one == kind).unwrap();
        let ended = match step {
            Step::Swapped | Step::Kept => self.connect_round(step, place).await,
            Step::Leaving | Step::Revoked => self.disconnect_round(step, place).await,
            _ => self.refresh_round(step, place).await,
        };
        // The next round begins with a grant, whatever became of this one.
        if !matches!(ended, Ended::Recovered) {
            self.connect(place).await;
        }
        ended
    }

    async fn refresh_round(&mut self, step: Step, place: usize) -> Ended {
        let (kind, wanted) = (self.places[place].kind, self.places[place].outlive());
        match step {
            Step::InFlight => self.places[place].hold_reply(60_000),
            Step::Settled => self.places[place].fail_once(),
            _ => {}
        }
        if !matches!(step, Step::InFlight | Step::Answered) {
            self.arm(step.name());
        }
        let done = self.places[place].provider.refreshes();
        let reader = self.doomed_read(place, wanted).await;
        let mut seen = None;
        match step {
            Step::InFlight => {
                let provider = &self.places[place].provider;
                if !until(self.patience, async || provider.refreshes() > done).await {
                    return Ended::Wrong("nothing was asked of the provider".into());
                }
            }
            Step::Answered => match reader.await.unwrap() {
                Some(answer) => seen = crate::outside::token_in(&answer).ok(),
                None => return Ended::Wrong("the reader got no answer".into()),
            },
            _ => {
                if !self.died().await {
                    // What its reader was told says why.
                    let told = match reader.is_finished() {
                        true => reader.await.unwrap().map(|answer| answer.whole()),
                        false => None,
                    };
                    return Ended::Wrong(format!("the process went past the step: {told:?}"));
                }
            }
        }
        self.start_again();
        // What the service does by itself, before anybody asks it for anything.
        if matches!(step, Step::Claimed | Step::InFlight | Step::Replied | Step::Settled) {
            let but = if step == Step::Settled { "transient" } else { "" };
            until(self.patience, async || self.counted(REFRESHES, but).await > 0).await;
        }
        // Whoever comes too late shall find that it is too late.
        self.places[place].let_grace_pass();
        let lives = self.lives(place, seen.as_deref()).await;
        let reply_lost = matches!(step, Step::InFlight | Step::Replied);
        match lives {
            Ok(()) => Ended::Recovered,
            Err(Fault::Gone(_)) if reply_lost && kind.may_lose() => Ended::LostAllowed,
            Err(fault) => fault.into(),
        }
    }

    /// Whether a grant works: its token does, no reader has a later one, and another refresh brings another.
    async fn lives(&mut self, place: usize, seen: Option<&str>) -> Result<(), Fault> {
        let first = self.read(place, None).await.map_err(Fault::of)?;
        if !self.places[place].takes(&first).await {
            return Err(Fault::Gone("the provider does not take the stored token".into()));
        }
        if let Some(seen) = seen {
            let (seen, stored) = (self.places[place].age(seen), self.places[place].age(&first));
            if seen > stored {
                return Err(Fault::Other("a reader has a later token than the store".into()));
            }
        }
        // The last answer may have been lost with what it brought: more life than that cannot be asked for.
        let wanted = self.places[place].outlive();
        let second = match self.read(place, Some(wanted)).await {
            Err(why) if why.starts_with("answered 422") => self.read(place, Some(wanted - 1)).await,
            read => read,
        };
        let second = second.map_err(Fault::of)?;
        if second == first {
            return Err(Fault::Other("a refresh brought the same token".into()));
        }
        match self.places[place].takes(&second).await {
            true => Ok(()),
            false => Err(Fault::Other("the provider does not take the refreshed token".into())),
        }
    }

    async fn connect_round(&mut self, step: Step, place: usize) -> Ended {
        let before = match self.read(place, None).await {
            Ok(token) => token,
            Err(why) => return Ended::Wrong(why),
        };
        let callback = self.callback(place).await;
        self.arm(step.name());
        let address = self.site().address;
        let page = tokio::spawn(async move { try_send(address, &callback).await });
        if !self.died().await {
            return Ended::Wrong("the process went past the step".into());
        }
        let _ = page.await;
        self.start_again();
        if step == Step::Kept {
            // The one before is ended at the provider by what was written with the new one.
            let there = &self.places[place];
            if !until(self.patience, async || !there.takes(&before).await).await {
                return Ended::Wrong("the grant that was replaced was not ended at the provider".into());
            }
        }
        match self.lives(place, None).await {
            Ok(()) => Ended::Recovered,
            Err(fault) => fault.into(),
        }
    }

    async fn disconnect_round(&mut self, step: Step, place: usize) -> Ended {
        let before = match self.read(place, None).await {
            Ok(token) => token,
            Err(why) => return Ended::Wrong(why),
        };
        self.arm(step.name());
        let (ask, address) = (self.disconnect(place), self.site().address);
        let asked = tokio::spawn(async move { try_send(address, &ask).await });
        if !self.died().await {
            return Ended::Wrong("the process went past the step".into());
        }
        let _ = asked.await;
        self.start_again();
        if !until(self.patience, async || self.counted(REVOCATIONS, "").await > 0).await {
            return Ended::Wrong("that the grant ended at the provider was never noted".into());
        }
        if self.places[place].takes(&before).await {
            return Ended::Wrong("the grant was not ended at the provider".into());
        }
        if let Ok(token) = self.read(place, None).await {
            return Ended::Wrong(format!(
                "a connection that was ended gave a token of {} bytes",
                token.len()
            ));
        }
        self.connect(place).await;
        match self.lives(place, None).await {
            Ok(()) => Ended::Recovered,
            Err(fault) => fault.into(),
        }
    }
}

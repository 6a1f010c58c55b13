//! Trigger ids: signed, and good for a while (C.7).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::refusal::Refusal;
use super::state::{State, fresh};

impl State {
    /// How long a trigger is good for, ms.
    fn trigger_life(&self) -> i64 {
        match self.version.triggers_follow_the_timeout() {
            true => self.settings.number("ServiceSettings.OutgoingIntegrationRequestsTimeout") * 1_000,
            false => 3_000,
        }
    }

    fn sign(&self, data: &str) -> String {
        STANDARD.encode(Sha256::digest(format!("{} {data}", self.trigger_secret)))
    }

    /// A trigger for what somebody does now.
    pub(super) fn new_trigger(&self, user: &str) -> String {
        let data = format!("{}:{user}:{}:", fresh(), self.now());
        STANDARD.encode(format!("{data}{}", self.sign(&data)))
    }

    /// Who is behind a trigger. It is good for more than once.
    pub(super) fn of_trigger(&self, trigger: &str) -> Result<String, Refusal> {
        let wrong = |id| Refusal::new(400, id);
        let bytes = STANDARD.decode(trigger).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let text =
            bytes.ok_or_else(|| wrong("interactive_message.decode_trigger_id.base64_decode_failed"))?;
        let parts: Vec<&str> = text.split(':').collect();
        let [client, user, at, signature] = parts.as_slice() else {
            return Err(wrong("interactive_message.decode_trigger_id.missing_data"));
        };
        let life = self.trigger_life();
        if self.now() - at.parse::<i64>().unwrap_or_default() > life {
            let expired = wrong("interactive_message.decode_trigger_id.expired");
            return Err(expired.with("Seconds", &(life / 1_000).to_string()));
        }
        if *signature != self.sign(&format!("{client}:{user}:{at}:")) {
            return Err(wrong("interactive_message.decode_trigger_id.verify_signature_failed"));
        }
        Ok((*user).to_owned())
    }
}

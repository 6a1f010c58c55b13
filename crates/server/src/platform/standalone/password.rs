//! Passwords: Argon2id, on threads where it may take its time.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use tessera_types::Password;
use tokio::sync::Semaphore;

use crate::env::Env;
use crate::platform::Error;

/// 8 MiB, two passes, one lane: modest, for a site that is for development. A hash carries its own cost, so
/// raising this leaves old ones valid.
const MEMORY_KIB: u32 = 8 * 1_024;
const PASSES: u32 = 2;
/// How many hashes are under way at once: a flood of sign-ins waits here instead of taking all memory.
const AT_ONCE: usize = 2;
/// Longer passwords are not hashed (Mattermost's limit is 72 bytes).
const LONGEST: usize = 256;

/// The hasher.
pub(super) struct Passwords {
    env: Env,
    turns: Semaphore,
}

impl Passwords {
    pub(super) fn new(env: Env) -> Self {
        Self { env, turns: Semaphore::new(AT_ONCE) }
    }

    /// The hash, as a PHC string.
    pub(super) async fn hash(&self, password: &Password) -> Result<String, Error> {
        let salt = self.env.bytes::<16>()?;
        let password = password.clone();
        self.work(move || {
            let hash: PasswordHash = argon2()?
                .hash_password_with_salt(password.expose().as_bytes(), &salt)
                .map_err(|e| failed(&e))?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Whether the password is the one of this hash. Without a hash it takes as long, and is not.
    pub(super) async fn verify(&self, password: &Password, hash: Option<String>) -> Result<bool, Error> {
        if password.expose().len() > LONGEST {
            return Ok(false);
        }
        let Some(hash) = hash else {
            self.hash(password).await?;
            return Ok(false);
        };
        let password = password.clone();
        self.work(move || {
            let parsed = PasswordHash::new(&hash).map_err(|error| failed(&error))?;
            Ok(argon2()?.verify_password(password.expose().as_bytes(), &parsed).is_ok())
        })
        .await
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let _turn = self.turns.acquire().await.map_err(|error| failed(&error))?;
        tokio::task::spawn_blocking(work).await.map_err(|error| failed(&error))?
    }
}

fn argon2() -> Result<Argon2<'static>, Error> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).map_err(|error| failed(&error))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn failed(reason: &dyn std::fmt::Display) -> Error {
    Error::Hash(reason.to_string())
}

use super::*;
use crate::env::{Clock, Rng, RngError};
use crate::store::{Store, StoreConfig};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

struct Still;
impl Clock for Still {
    fn now_ms(&self) -> i64 {
        1_767_225_600_000
    }
}

/// Counts upwards: every draw differs, every run is the same.
struct Counting(AtomicU8);
impl Rng for Counting {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RngError> {
        let first = self.0.fetch_add(1, Ordering::Relaxed);
        for (offset, byte) in buffer.iter_mut().enumerate() {
            *byte = first.wrapping_add(offset as u8);
        }
        Ok(())
    }
}

fn still_env() -> Env {
    Env { clock: Arc::new(Still), rng: Arc::new(Counting(AtomicU8::new(1))) }
}

fn root() -> RootKey {
    RootKey::parse("tessera-root-key-v1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8").unwrap()
}

async fn vault(env: Env) -> (Vault, Store) {
    let store = Store::open(&StoreConfig::Memory).await.unwrap();
    let vault = Vault::open(&root(), store.keys.clone(), &store.meta, env).await.unwrap();
    (vault, store)
}

const PLACE: Place<'static> =
    Place { purpose: Purpose::Connection, app: "hello-oauth2", user: "user", generation: 3 };

/// The form on disk is a promise: what this test pins must open for ever.
#[tokio::test]
async fn os_42_golden_vector_of_the_sealed_form() {
    let (vault, _store) = vault(still_env()).await;
    let sealed = vault.seal(&PLACE, b"{\"token\":\"xxxxxxxxxxxx\"}").await.unwrap();
    assert_eq!(
        hex(sealed.as_bytes()),
        include_str!("golden.hex").trim(),
        "the sealed form changed: rows written before could not be opened"
    );
    assert_eq!(vault.open_sealed(&PLACE, &sealed).await.unwrap().expose(), b"{\"token\":\"xxxxxxxxxxxx\"}");
}

#[tokio::test]
async fn os_40_a_row_copied_to_another_place_does_not_open() {
    let (vault, _store) = vault(Env::system()).await;
    let sealed = vault.seal(&PLACE, b"secret").await.unwrap();
    // The other places have keys of their own, as they would in use.
    for (app, user) in [("other", "user"), ("hello-oauth2", "other")] {
        let place = Place { app, user, ..PLACE };
        vault.seal(&place, b"theirs").await.unwrap();
        assert!(matches!(vault.open_sealed(&place, &sealed).await, Err(Error::Broken)));
    }
    for place in [Place { purpose: Purpose::AppToken, ..PLACE }, Place { generation: 4, ..PLACE }] {
        assert!(matches!(vault.open_sealed(&place, &sealed).await, Err(Error::Broken)));
    }
    assert_eq!(vault.open_sealed(&PLACE, &sealed).await.unwrap().expose(), b"secret");
}

#[tokio::test]
async fn every_altered_byte_is_noticed() {
    let (vault, _store) = vault(Env::system()).await;
    let sealed = vault.seal(&PLACE, b"secret").await.unwrap();
    for at in 0..sealed.as_bytes().len() {
        let mut bytes = sealed.as_bytes().to_vec();
        bytes[at] ^= 1;
        assert!(vault.open_sealed(&PLACE, &Sealed::from_bytes(bytes)).await.is_err(), "byte {at}");
    }
    for length in 0..sealed.as_bytes().len() {
        let cut = Sealed::from_bytes(sealed.as_bytes()[..length].to_vec());
        assert!(vault.open_sealed(&PLACE, &cut).await.is_err(), "{length} bytes");
    }
}

#[tokio::test]
async fn os_41_equal_values_are_sealed_differently() {
    let (vault, _store) = vault(Env::system()).await;
    let mut seen = std::collections::HashSet::new();
    for _ in 0..1_000 {
        assert!(seen.insert(vault.seal(&PLACE, b"secret").await.unwrap().into_bytes()));
    }
}

#[tokio::test]
async fn os_44_a_shredded_key_takes_its_values_along() {
    let (vault, _store) = vault(Env::system()).await;
    let other = Place { user: "other", ..PLACE };
    let (mine, theirs) = (vault.seal(&PLACE, b"1").await.unwrap(), vault.seal(&other, b"2").await.unwrap());
    vault.shred(PLACE.app, PLACE.user).await.unwrap();
    assert!(matches!(vault.open_sealed(&PLACE, &mine).await, Err(Error::NoDataKey)));
    assert_eq!(vault.open_sealed(&other, &theirs).await.unwrap().expose(), b"2");
    vault.shred_app(PLACE.app).await.unwrap();
    assert!(matches!(vault.open_sealed(&other, &theirs).await, Err(Error::NoDataKey)));
    // Life goes on with a fresh key.
    let again = vault.seal(&PLACE, b"3").await.unwrap();
    assert_eq!(vault.open_sealed(&PLACE, &again).await.unwrap().expose(), b"3");
}

#[tokio::test]
async fn os_45_another_root_key_is_refused_and_harms_nothing() {
    let store = Store::open(&StoreConfig::Memory).await.unwrap();
    let open = |key: RootKey| {
        let (keys, meta) = (store.keys.clone(), store.meta.clone());
        async move { Vault::open(&key, keys, &meta, Env::system()).await }
    };
    let sealed = open(root()).await.unwrap().seal(&PLACE, b"secret").await.unwrap();
    let refused = open(RootKey::generate(&Env::system()).unwrap()).await;
    assert!(matches!(refused, Err(Error::WrongRootKey { .. })));
    let vault = open(root()).await.unwrap();
    assert_eq!(vault.open_sealed(&PLACE, &sealed).await.unwrap().expose(), b"secret");
}

#[tokio::test]
async fn os_59_no_random_bytes_no_seal() {
    struct Dry;
    impl Rng for Dry {
        fn fill(&self, _: &mut [u8]) -> Result<(), RngError> {
            Err(RngError)
        }
    }
    let (working, store) = vault(Env::system()).await;
    drop(working);
    let env = Env { clock: Arc::new(Still), rng: Arc::new(Dry) };
    // The tenant id is there already, yet the draw for a new one fails first: nothing opens on a dry source.
    assert!(matches!(Vault::open(&root(), store.keys.clone(), &store.meta, env).await, Err(Error::Rng(_))));
}

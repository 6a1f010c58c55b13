//! What some providers send along on the callback.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use url::Url;

use crate::positions::Extras;

/// Of no meaning, and always the same.
const REALM_ID: &str = "9130355377388383";
const SHOP: &str = "simulator.myshopify.com";

/// Adds them to a callback. `now` is what clients are shown, `secret` the client's.
pub(crate) fn add(extras: Extras, callback: &mut Url, now: i64, secret: &str) {
    match extras {
        Extras::RealmId => {
            callback.query_pairs_mut().append_pair("realmId", REALM_ID);
        }
        Extras::Shop => {
            let timestamp = now.to_string();
            callback.query_pairs_mut().append_pair("shop", SHOP).append_pair("timestamp", &timestamp);
            let signature = signature(callback, secret);
            callback.query_pairs_mut().append_pair("hmac", &signature);
        }
    }
}

/// Shopify's: HMAC-SHA256 over the query's arguments, sorted by name, under the client's secret, in hex.
fn signature(callback: &Url, secret: &str) -> String {
    let mut pairs: Vec<_> = callback.query_pairs().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.sort();
    // A key of any length will do.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(pairs.join("&").as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_as_in_shopifys_documentation() {
        let query = "code=0907a61c0c8d55e99db179b68161bc00&timestamp=1337178173&state=0.6784241404160823&shop=some-shop.myshopify.com";
        let callback = Url::parse(&format!("http://localhost/?{query}")).unwrap();
        let expected = "700e2dadb827fcc8609e9d5ce208b2e9cdaab9df07390d2cbca10d7c328fc4bf";
        assert_eq!(signature(&callback, "hush"), expected);
    }
}

//! Secrets as types: they do not print, compare or serialise by accident, and are wiped when dropped (OS-46).

use serde::{Deserialize, Deserializer, Serializer};
use zeroize::Zeroizing;

/// A text that may be written out by name only: `#[serde(serialize_with = "secret::expose")]`.
pub trait Exposed {
    /// The secret itself.
    fn expose(&self) -> &str;
}

/// Writes a secret in clear. Naming it on a field is the visible act of doing so.
pub fn expose<T: Exposed, S: Serializer>(secret: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}

macro_rules! secret_text {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Default)]
        pub struct $name(Zeroizing<String>);

        impl $name {
            /// Takes the secret's text.
            pub fn new(text: impl Into<String>) -> Self {
                Self(Zeroizing::new(text.into()))
            }

            /// The secret itself. Every call site is on a list that a test holds.
            pub fn expose(&self) -> &str {
                &self.0
            }

            /// Whether there is none.
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }
        }

        impl Exposed for $name {
            fn expose(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(Self::new)
            }
        }
    )*};
}

secret_text! {
    /// A token that opens an API: an App's, a person's, or one of a remote service (RFC 6749 section 1.4).
    AccessToken
    /// What gets new access tokens (RFC 6749 section 1.5).
    RefreshToken
    /// A client's secret at a remote service (RFC 6749 section 2.3.1).
    ClientSecret
    /// The key of the JWTs that an App is called with (apps-framework.md section 7.2).
    JwtSecret
    /// What senders of webhooks must know (apps-framework.md section 11.4).
    WebhookSecret
    /// What a provider hands out once the user agreed (RFC 6749 section 1.3.1).
    AuthorizationCode
    /// A person's password.
    Password
}

/// A secret of any bytes.
#[derive(Clone, Default)]
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Takes the bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The secret itself.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretBytes([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn os_46_debug_prints_a_fixed_mask() {
        assert_eq!(format!("{:?}", AccessToken::new("xyzzy")), "AccessToken([redacted])");
        assert_eq!(format!("{:?}", SecretBytes::new(b"xyzzy".to_vec())), "SecretBytes([redacted])");
        assert_eq!(format!("{:?}", ClientSecret::default()), "ClientSecret([redacted])");
    }
}

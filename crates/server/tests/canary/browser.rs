//! A browser's cookies and headers, and a record of every answer.

use std::collections::BTreeMap;

use tessera_testkit::site::Site;
use tessera_testkit::wire::{Answer, Ask};

/// A browser without script.
#[derive(Debug, Default)]
pub(crate) struct Browser {
    cookies: BTreeMap<String, String>,
}

impl Browser {
    /// Follows a link of another site.
    pub(crate) async fn open(&mut self, site: Site, target: &str) -> Answer {
        self.send(site, Ask::get(target), "cross-site").await
    }

    /// Sends a form of a page of this site.
    pub(crate) async fn submit(&mut self, site: Site, target: &str, fields: &[(&str, &str)]) -> Answer {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        let body = form.extend_pairs(fields).finish();
        let origin = format!("http://localhost:{}", site.address.port());
        let ask = Ask::post(target, body).with("Content-Type", "application/x-www-form-urlencoded");
        self.send(site, ask.with("Origin", origin), "same-origin").await
    }

    async fn send(&mut self, site: Site, ask: Ask, from: &str) -> Answer {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let ask = ask
            .with("Accept", "text/html,*/*;q=0.8")
            .with("Sec-Fetch-Mode", "navigate")
            .with("Sec-Fetch-Dest", "document")
            .with("Sec-Fetch-Site", from)
            .with("Cookie", cookies.join("; "));
        let answer = site.send(&ask).await;
        for (_, line) in answer.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie")) {
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            match value {
                "" => drop(self.cookies.remove(name)),
                value => drop(self.cookies.insert(name.to_owned(), value.to_owned())),
            }
        }
        answer
    }

    /// Every cookie, by name.
    pub(crate) fn cookies(&self) -> impl Iterator<Item = (&String, &String)> {
        self.cookies.iter()
    }

    /// Forgets the session, as when it ends.
    pub(crate) fn sign_out(&mut self) {
        self.cookies.retain(|name, _| !name.starts_with("MM"));
    }
}

//! What is counted of requests: how many, how they ended and how long they took, by the template of their route.
//!
//! The counters of a route are looked up once. From then on a request finds them by where its route's template lies
//! in memory: no lock, no allocation, and no label that a stranger chose.

use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use crate::meter::Timing;

/// More than four times the routes that there are, with every method of theirs.
const PLACES: usize = 1 << 10;
/// How many places are looked at before a request is looked up instead.
const TRIES: usize = 16;
/// Stands for whatever matched no route.
const NO_ROUTE: &str = "none";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: String,
    method: &'static str,
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Taken {
    route: String,
    method: &'static str,
}

/// The counters of the whole surface. One for the process.
pub struct Passages {
    answered: Family<Answered, Counter<u64, AtomicU64>>,
    took: Family<Taken, Timing>,
    known: Box<[OnceLock<Passage>]>,
}

/// The counters of one method of one route.
struct Passage {
    route: String,
    method: &'static str,
    by_class: [OnceLock<Counter<u64, AtomicU64>>; CLASSES.len()],
    took: Timing,
}

const CLASSES: [&str; 6] = ["1xx", "2xx", "3xx", "4xx", "5xx", "other"];

impl Default for Passages {
    fn default() -> Self {
        let known = (0..PLACES).map(|_| OnceLock::new()).collect();
        Self { answered: Family::default(), took: Family::default(), known }
    }
}

impl Passages {
    /// Announces what is counted.
    pub fn announce(&self, registry: &mut Registry) {
        registry.register(
            "http_requests",
            "Requests answered, by route, method and class of status",
            self.answered.clone(),
        );
        registry.register(
            "http_request_seconds",
            "Time from a request's head to its answer's, by route and method",
            self.took.clone(),
        );
    }

    /// Counts an answer.
    pub(super) fn count(&self, route: Option<&str>, method: &Method, status: StatusCode, took: Duration) {
        let (route, method) = (route.unwrap_or(NO_ROUTE), name_of(method));
        let class = usize::from(status.as_u16() / 100).wrapping_sub(1).min(CLASSES.len() - 1);
        let Some(passage) = self.find(route, method) else {
            // The table is full, which it is not made to be: count all the same.
            self.fresh(route, method).count(self, class, took);
            return;
        };
        passage.count(self, class, took);
    }

    fn find(&self, route: &str, method: &'static str) -> Option<&Passage> {
        // Templates stay where they are for as long as the router lives, so their address is as good as a hash.
        let start = (route.as_ptr().addr() >> 4).wrapping_mul(31).wrapping_add(method.len());
        (0..TRIES).find_map(|step| {
            let place = self.known.get(start.wrapping_add(step) % PLACES)?;
            let passage = place.get_or_init(|| self.fresh(route, method));
            (passage.route == route && passage.method == method).then_some(passage)
        })
    }

    fn fresh(&self, route: &str, method: &'static str) -> Passage {
        let took = self.took.get_or_create_owned(&Taken { route: route.to_owned(), method });
        Passage { route: route.to_owned(), method, by_class: Default::default(), took }
    }
}

impl Passage {
    fn count(&self, all: &Passages, class: usize, took: Duration) {
        if let Some((counter, status)) = self.by_class.get(class).zip(CLASSES.get(class)) {
            let label = || Answered { route: self.route.clone(), method: self.method, status };
            counter.get_or_init(|| all.answered.get_or_create_owned(&label())).inc();
        }
        self.took.observe(took);
    }
}

/// A method by a name that no stranger chose.
fn name_of(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text;

    use super::*;

    #[test]
    fn a_route_is_counted_once_wherever_its_template_lies_and_however_many_there_are() {
        let passages = Passages::default();
        let (one, two) = (String::from("/a/{b}"), String::from("/a/{b}"));
        let took = Duration::from_millis(3);
        for route in [&one, &two] {
            passages.count(Some(route), &Method::GET, StatusCode::OK, took);
        }
        passages.count(Some(&one), &Method::GET, StatusCode::IM_A_TEAPOT, took);
        passages.count(None, &Method::from_bytes(b"STRANGE").unwrap(), StatusCode::NOT_FOUND, took);
        let many: Vec<String> = (0..2 * PLACES).map(|n| format!("/many/{n}")).collect();
        for route in many.iter().chain(&many) {
            passages.count(Some(route), &Method::PUT, StatusCode::OK, took);
        }
        let mut registry = Registry::default();
        passages.announce(&mut registry);
        let mut text = String::new();
        text::encode(&mut text, &registry).unwrap();
        for line in [
            "http_requests_total{route=\"/a/{b}\",method=\"GET\",status=\"2xx\"} 2\n",
            "http_requests_total{route=\"/a/{b}\",method=\"GET\",status=\"4xx\"} 1\n",
            "http_requests_total{route=\"none\",method=\"other\",status=\"4xx\"} 1\n",
            "http_request_seconds_count{route=\"/a/{b}\",method=\"GET\"} 3\n",
        ] {
            assert!(text.contains(line), "{line}");
        }
        let twice = text.lines().filter(|line| line.starts_with("http_requests_total{route=\"/many/"));
        assert!(twice.clone().all(|line| line.ends_with(" 2")) && twice.count() == many.len());
    }
}

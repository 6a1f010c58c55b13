//! Every order in which a refresh can go: processes that die, are stopped beyond their lease and reply late; a provider
//! with a grace, without one, and one at which the use of a spent token ends the grant; replies that are lost; readers.
//!
//! The decisions are the service's own (`machine`), and so are the conditions of its writes (`swap`), which
//! `tests/store/swaps.rs` holds against the statements. `docs/adr/0009-refresh.md` says what is promised.

#![expect(clippy::print_stdout, reason = "how many states there are is for whoever asks, with --show-output")]

mod world;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::rc::Rc;

use tessera_server::grants::machine::Status;
use world::{At, Budget, Kind, LEASE, Laws, Sabotage, World};

/// What was found.
struct Walk {
    states: usize,
    /// What does not hold somewhere, and how it came to that.
    broken: Option<(String, Vec<World>)>,
}

/// The way from the start to a state, and one step more.
fn way(all: &[Rc<World>], parents: &[u32], to: u32, last: Option<World>) -> Vec<World> {
    let mut way: Vec<World> = last.into_iter().collect();
    let mut at = to;
    loop {
        way.push(World::clone(&all[at as usize]));
        if at == 0 {
            break;
        }
        at = parents[at as usize];
    }
    way.reverse();
    way
}

/// Walks over everything that can happen, breadth first.
fn walk(processes: usize, budget: Budget, laws: Laws) -> Walk {
    let start = World::new(processes, budget);
    let start = Rc::new(start);
    let mut known: HashMap<Rc<World>, u32> = HashMap::from([(Rc::clone(&start), 0)]);
    let mut all = vec![start];
    // From where to where it goes without a misfortune.
    let mut ways: Vec<(u32, u32)> = Vec::new();
    let mut parents = vec![0];
    let mut next = 0;
    while next < all.len() {
        let from = u32::try_from(next).unwrap();
        let world = Rc::clone(&all[next]);
        for step in world.steps(laws) {
            let broken = match (step.overwritten, step.leaked) {
                (true, _) => Some("a later reply was written over by an earlier one".to_owned()),
                (_, true) => Some("a reader has a token that is not durable".to_owned()),
                _ => broken(&step.world, laws),
            };
            if let Some(why) = broken {
                let way = way(&all, &parents, from, Some(step.world));
                return Walk { states: all.len(), broken: Some((why, way)) };
            }
            let number = u32::try_from(all.len()).unwrap();
            let to = match known.entry(Rc::new(step.world)) {
                Entry::Occupied(there) => *there.get(),
                Entry::Vacant(new) => {
                    all.push(Rc::clone(new.key()));
                    parents.push(from);
                    *new.insert(number)
                }
            };
            if !step.misfortune {
                ways.push((to, from));
            }
        }
        next += 1;
    }
    // Wherever it is, it comes to rest if nothing more goes wrong.
    let mut rests: Vec<bool> = all.iter().map(|world| world.at_rest()).collect();
    let mut reached: Vec<u32> = (0..all.len()).filter(|at| rests[*at]).map(|at| at as u32).collect();
    ways.sort_unstable();
    while let Some(at) = reached.pop() {
        let first = ways.partition_point(|(to, _)| *to < at);
        for (_, from) in ways[first..].iter().take_while(|(to, _)| *to == at) {
            let from = *from;
            if !std::mem::replace(&mut rests[from as usize], true) {
                reached.push(from);
            }
        }
    }
    let stuck = rests.iter().position(|rests| !rests);
    let way = |at: usize| way(&all, &parents, u32::try_from(at).unwrap(), None);
    let broken = stuck.map(|at| ("it never comes to rest".to_owned(), way(at)));
    Walk { states: all.len(), broken }
}

/// What does not hold in a state, of what is promised for all of them.
fn broken(world: &World, laws: Laws) -> Option<String> {
    let leased = world
        .processes
        .iter()
        .filter(|process| matches!(process.at, At::Waiting(asking, _) if asking.since_claim < LEASE));
    if leased.count() > 1 {
        return Some("two requests are in flight, each under a lease".into());
    }
    let dead = Status::of(world.row.status.into()) == Status::Dead;
    match laws.kind {
        Kind::Grace if dead || world.family_dead => {
            Some("a grant is lost although its provider has a grace".into())
        }
        Kind::NoGrace | Kind::FamilyDies if (dead || world.family_dead) && !world.lost_a_reply() => {
            Some("a grant is lost although no reply was".into())
        }
        _ => None,
    }
}

const ALL: [Kind; 3] = [Kind::Grace, Kind::NoGrace, Kind::FamilyDies];

/// Any two misfortunes within one grace: more than that nobody promises.
const TROUBLE: Budget = Budget { misfortunes: 2, readers: 2 };

fn holds(processes: usize, budget: Budget) {
    for kind in ALL {
        let walk = walk(processes, budget, Laws { kind, sabotage: Sabotage::None });
        println!("{processes} processes, {kind:?}: {} states", walk.states);
        if let Some((why, way)) = walk.broken {
            way.iter().for_each(|world| println!("{world:?}"));
            panic!("{kind:?}: {why}");
        }
    }
}

fn is_found(sabotage: Sabotage, kind: Kind, processes: usize, expected: &str) {
    let walk = walk(processes, TROUBLE, Laws { kind, sabotage });
    let found = walk.broken.map(|(why, _)| why);
    assert_eq!(found.as_deref(), Some(expected), "{sabotage:?} after {} states", walk.states);
}

#[test]
fn one_process_that_dies_again_and_again_loses_no_rotation() {
    holds(1, Budget { misfortunes: 2, readers: 2 });
}

#[test]
fn two_processes_have_one_winner_and_lose_no_rotation() {
    holds(2, TROUBLE);
}

#[test]
fn three_processes_have_one_winner_and_lose_no_rotation() {
    holds(3, Budget { misfortunes: 2, readers: 1 });
}

#[test]
fn a_release_before_the_write_is_found() {
    for kind in ALL {
        is_found(Sabotage::ReleaseBeforeDurable, kind, 1, "a reader has a token that is not durable");
    }
}

#[test]
fn a_skipped_fence_is_found() {
    let expected = "a later reply was written over by an earlier one";
    is_found(Sabotage::SkipTheFence, Kind::Grace, 2, expected);
}

#[test]
fn a_forgotten_intent_is_found() {
    is_found(Sabotage::ForgetTheIntent, Kind::Grace, 1, "a grant is lost although its provider has a grace");
    is_found(Sabotage::ForgetTheIntent, Kind::Grace, 2, "two requests are in flight, each under a lease");
}

#[test]
fn a_request_that_is_sent_when_its_lease_is_nearly_over_is_found() {
    let expected = "a grant is lost although no reply was";
    is_found(Sabotage::SendLate, Kind::FamilyDies, 2, expected);
}

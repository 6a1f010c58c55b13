//! What became of all rounds.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use crate::deck::{Kind, Step};

/// How a round ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// Everything works.
    Recovered,
    /// The grant is lost, and nothing could have kept it: its reply never became durable, and its provider has no grace.
    LostAllowed,
    /// The grant is lost, or something else is not as it must be.
    Wrong(String),
}

impl Ended {
    pub(crate) fn is_bad(&self) -> bool {
        matches!(self, Self::Wrong(_))
    }
}

#[derive(Default, Clone, Copy)]
struct Cell {
    rounds: u64,
    recovered: u64,
    allowed: u64,
    wrong: u64,
}

/// Rounds by step and kind of provider.
#[derive(Default)]
pub(crate) struct Table {
    cells: BTreeMap<(Step, Kind), Cell>,
    took: Duration,
}

impl Table {
    pub(crate) fn note(&mut self, step: Step, kind: Kind, ended: Ended) {
        let cell = self.cells.entry((step, kind)).or_default();
        cell.rounds += 1;
        match ended {
            Ended::Recovered => cell.recovered += 1,
            Ended::LostAllowed => cell.allowed += 1,
            Ended::Wrong(_) => cell.wrong += 1,
        }
    }

    pub(crate) fn took(&mut self, took: Duration) {
        self.took = took;
    }

    /// Losses that are not allowed.
    pub(crate) fn bad(&self) -> u64 {
        self.cells.values().map(|cell| cell.wrong).sum()
    }

    pub(crate) fn is_good(&self) -> bool {
        self.bad() == 0 && self.sum().rounds > 0
    }

    /// Each step that was played, and whether nothing was lost at it that may not be.
    pub(crate) fn steps(&self) -> BTreeMap<Step, bool> {
        let mut steps = BTreeMap::new();
        for ((step, _), cell) in &self.cells {
            *steps.entry(*step).or_insert(true) &= cell.wrong == 0;
        }
        steps
    }

    fn sum(&self) -> Cell {
        self.cells.values().fold(Cell::default(), |sum, cell| Cell {
            rounds: sum.rounds + cell.rounds,
            recovered: sum.recovered + cell.recovered,
            allowed: sum.allowed + cell.allowed,
            wrong: sum.wrong + cell.wrong,
        })
    }

    /// As Markdown, which a terminal shows well enough.
    pub(crate) fn text(&self) -> String {
        let mut text = String::from(
            "| step | provider | rounds | recovered | lost, allowed | lost, not allowed |\n|---|---|--:|--:|--:|--:|\n",
        );
        let mut line = |step: &str, kind: &str, cell: Cell| {
            let Cell { rounds, recovered, allowed, wrong } = cell;
            let _ = writeln!(text, "| {step} | {kind} | {rounds} | {recovered} | {allowed} | {wrong} |");
        };
        for ((step, kind), cell) in &self.cells {
            line(step.name(), kind.name(), *cell);
        }
        line("all", "", self.sum());
        let seconds = self.took.as_secs_f64();
        let rate = self.sum().rounds as f64 / seconds;
        let _ = writeln!(text, "\n{} rounds in {seconds:.1} s: {rate:.1} a second", self.sum().rounds);
        text
    }

    pub(crate) fn json(&self, seed: u64) -> Value {
        let cells = self.cells.iter().map(|((step, kind), cell)| {
            json!({
                "step": step.name(),
                "provider": kind.name(),
                "rounds": cell.rounds,
                "recovered": cell.recovered,
                "lost_allowed": cell.allowed,
                "lost_not_allowed": cell.wrong,
            })
        });
        json!({"seed": seed, "seconds": self.took.as_secs_f64(), "cells": cells.collect::<Vec<_>>()})
    }
}

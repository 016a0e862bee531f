//! The loads, what each is to reach, and how they are run: peer after peer, again and again, so
//! that a machine that drifts drifts for all of them.

use std::time::Duration;

use crate::load::{self, Handshake, Link, Load, Outcome};
use crate::options::Options;
use crate::peers::{Door, Peer, Verb};
use crate::report::{Report, Row};
use crate::stand::Stand;

/// What ours is to reach.
#[derive(Clone, Copy, Debug, Default)]
pub struct Target {
    /// Answers a second, at least.
    pub rate: Option<f64>,
    /// The 99 % latency in ms, at most.
    pub p99: Option<f64>,
    /// The server's CPU for an answer in µs, at most.
    pub cpu: Option<f64>,
    /// The part of the bare peer's rate, at least.
    pub of_bare: Option<f64>,
}

/// One load by name.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    /// Its name for `--only`.
    pub name: &'static str,
    /// What it is, in words.
    pub title: &'static str,
    /// What ours is to reach.
    pub target: Target,
    door: Door,
    verb: Verb,
    link: Link,
    connections: usize,
}

const WARM_UP: Duration = Duration::from_millis(700);
const ONE_SHOT: Link = Link::OneShot(Handshake::Full);
const HYBRID: Link = Link::OneShot(Handshake::Hybrid);
const RESUMED: Link = Link::OneShot(Handshake::Resumed);

#[rustfmt::skip]
const WORKS: &[Work] = &[
    work("kept-8", "retrieve, kept-alive", Verb::Retrieve, Link::KeptAlive, 8)
        .reaching(12_000.0, Some(2.0), Some(65.0), Some(0.6)),
    work("kept-32", "retrieve, kept-alive", Verb::Retrieve, Link::KeptAlive, 32)
        .reaching(25_000.0, Some(4.0), Some(40.0), Some(0.6)),
    work("rest-8", "GET password by REST, kept-alive", Verb::Retrieve, Link::KeptAlive, 8)
        .through(Door::Rest),
    work("rest-32", "GET password by REST, kept-alive", Verb::Retrieve, Link::KeptAlive, 32)
        .through(Door::Rest)
        .reaching(20_000.0, Some(4.0), None, None),
    work("a2a-8", "GET Credentials by A2A, kept-alive", Verb::Retrieve, Link::KeptAlive, 8)
        .through(Door::A2a),
    work("a2a-32", "GET Credentials by A2A, kept-alive", Verb::Retrieve, Link::KeptAlive, 32)
        .through(Door::A2a)
        .reaching(20_000.0, Some(4.0), None, None),
    work("oneshot-8", "retrieve, one-shot, full handshake", Verb::Retrieve, ONE_SHOT, 8)
        .reaching(2_000.0, Some(10.0), Some(450.0), Some(0.8)),
    work("oneshot-32", "retrieve, one-shot, full handshake", Verb::Retrieve, ONE_SHOT, 32)
        .reaching(2_000.0, Some(35.0), Some(450.0), Some(0.8)),
    work("hybrid-8", "retrieve, one-shot, X25519MLKEM768", Verb::Retrieve, HYBRID, 8),
    work("resumed-8", "retrieve, one-shot, resumed", Verb::Retrieve, RESUMED, 8),
    work("resumed-32", "retrieve, one-shot, resumed", Verb::Retrieve, RESUMED, 32),
    work("change-8", "change, durable, kept-alive", Verb::Change, Link::KeptAlive, 8)
        .reaching(4_000.0, None, None, None),
    work("change-32", "change, durable, kept-alive", Verb::Change, Link::KeptAlive, 32)
        .reaching(8_000.0, None, None, None),
];

const fn work(
    name: &'static str,
    title: &'static str,
    verb: Verb,
    link: Link,
    connections: usize,
) -> Work {
    let target = Target {
        rate: None,
        p99: None,
        cpu: None,
        of_bare: None,
    };
    Work {
        name,
        title,
        target,
        door: Door::XmlRpc,
        verb,
        link,
        connections,
    }
}

impl Work {
    const fn through(mut self, door: Door) -> Self {
        self.door = door;
        self
    }

    const fn reaching(
        mut self,
        rate: f64,
        p99: Option<f64>,
        cpu: Option<f64>,
        of_bare: Option<f64>,
    ) -> Self {
        self.target = Target {
            rate: Some(rate),
            p99,
            cpu,
            of_bare,
        };
        self
    }

    /// How many callers there are at once.
    pub fn connections(&self) -> usize {
        self.connections
    }

    /// Whether this load means something for this peer: the bare one keeps no passwords, and a
    /// certificate in each request is OpenBao's way to answer a caller it has not seen before.
    fn suits(&self, peer: &Peer) -> bool {
        let here = peer.door.is_none_or(|door| door == self.door);
        here && (self.verb == Verb::Retrieve || !["bare", "openbao-cert"].contains(&peer.name))
    }

    fn load(&self, options: &Options) -> Load {
        Load {
            verb: self.verb,
            link: self.link,
            connections: self.connections,
            warm_up: WARM_UP,
            duration: options.duration,
        }
    }
}

/// The load named `name`.
pub fn named(name: &str) -> Option<Work> {
    WORKS.iter().copied().find(|work| work.name == name)
}

/// The loads that are asked for.
pub fn chosen(options: &Options) -> Vec<Work> {
    WORKS
        .iter()
        .copied()
        .filter(|work| options.wants(work.name))
        .collect()
}

/// Runs `works` on all peers of the stand, in turns.
pub fn measure(works: &[Work], stand: &Stand, options: &Options, report: &mut Report) {
    for work in works {
        let peers: Vec<&Peer> = stand.peers.iter().filter(|peer| work.suits(peer)).collect();
        for (peer, outcome) in peers.iter().zip(in_turns(work, &peers, options)) {
            match outcome {
                Some(outcome) => report.add(Row {
                    work: *work,
                    peer: peer.name,
                    outcome,
                }),
                None => eprintln!("{} on {} is not measured", work.name, peer.name),
            }
        }
    }
}

/// A B A B …: each peer's medians, or none when one of its runs went wrong.
pub fn in_turns(work: &Work, peers: &[&Peer], options: &Options) -> Vec<Option<Outcome>> {
    let mut runs: Vec<Vec<Outcome>> = vec![Vec::new(); peers.len()];
    let mut broken = vec![false; peers.len()];
    for turn in 1..=options.runs {
        for (at, peer) in peers
            .iter()
            .enumerate()
            .filter(|(at, _)| !broken[*at])
            .collect::<Vec<_>>()
        {
            match load::run(peer, work.load(options)) {
                Ok(outcome) => {
                    eprintln!(
                        "{:<11} {turn}/{} {:<12} {:>8.0}/s  p99 {:>7.2} ms  {:>6.0} µs",
                        work.name, options.runs, peer.name, outcome.rate, outcome.p99, outcome.cpu
                    );
                    runs[at].push(outcome);
                }
                Err(why) => {
                    eprintln!("{} {turn}/{} {}: {why}", work.name, options.runs, peer.name);
                    broken[at] = true;
                }
            }
        }
    }
    let whole = runs
        .iter()
        .zip(broken)
        .map(|(runs, broken)| (!broken).then(|| median(runs)));
    whole.collect()
}

fn median(runs: &[Outcome]) -> Outcome {
    let of = |field: fn(&Outcome) -> f64| middle(runs.iter().map(field).collect());
    Outcome {
        rate: of(|run| run.rate),
        p50: of(|run| run.p50),
        p99: of(|run| run.p99),
        p999: of(|run| run.p999),
        cpu: of(|run| run.cpu),
        resumed: of(|run| run.resumed),
    }
}

/// The median; 0 of nothing.
pub fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let (low, high) = (values.len().saturating_sub(1) / 2, values.len() / 2);
    match (values.get(low), values.get(high)) {
        (Some(low), Some(high)) => f64::midpoint(*low, *high),
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_between_the_two_middles() {
        assert_eq!(middle(vec![9.0, 1.0, 2.0]), 2.0);
        assert_eq!(middle(vec![4.0, 1.0, 2.0, 9.0]), 3.0);
        assert_eq!(middle(Vec::new()), 0.0);
    }
}

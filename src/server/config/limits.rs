//! The options of limits, trusted proxies and other origins.

use std::net::IpAddr;
use std::time::Duration;

use clap::Args;

use super::parse;
use crate::server::origin::Origin;
use crate::server::proxies::Proxy;
use crate::server::settings::Quotas;

/// A limit, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound<T> {
    /// At most this much.
    AtMost(T),
    /// `none`.
    Unbounded,
}

/// Which limits apply by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bounded {
    /// None: only this machine can reach the portal.
    Nothing,
    /// Limits per address. Names of removed stacks are not reserved.
    Addresses,
    /// Limits per person.
    People,
}

/// The options of limits, trusted proxies and other origins, as given.
#[derive(Clone, Debug, Args)]
#[command(
    next_help_heading = "Limits (a number, or none; by default none where only this machine can \
                         reach an open portal)"
)]
pub(super) struct LimitOptions {
    /// How many stacks a person may have; with AUTH open, an address [default: 5]
    #[arg(long, env, hide_env_values = true, value_parser = bound)]
    stacks_per_person: Option<Bound<u32>>,
    /// How many deployments a person may have in progress [default: 3]
    #[arg(long, env, hide_env_values = true, value_parser = bound)]
    deployments_per_person: Option<Bound<u32>>,
    /// How many deployments a person may start within an hour [default: 20]
    #[arg(long, env, hide_env_values = true, value_parser = bound)]
    deployments_per_hour: Option<Bound<u32>>,
    /// How many operations a person may begin within an hour: deployments, starts and restarts, but
    /// not stops and removals, which are never refused [default: 60]
    #[arg(long, env, hide_env_values = true, value_parser = bound)]
    operations_per_hour: Option<Bound<u32>>,
    /// How many deployments may be in progress in total [default: 200]
    #[arg(long, env, hide_env_values = true, value_parser = bound)]
    deployments_in_all: Option<Bound<u32>>,
    /// How many event streams a person may have open [default: 20]
    #[arg(long, env, hide_env_values = true, value_parser = bound)]
    streams_per_person: Option<Bound<u32>>,
    /// How many event streams an address may have open [default: 100]
    #[arg(long, env, hide_env_values = true, value_parser = bound)]
    streams_per_address: Option<Bound<u32>>,
    /// How many connections may be open in total [default: as many as open files are allowed, but
    /// at most 20000]
    #[arg(long, env, hide_env_values = true, value_parser = bound)]
    connections_in_all: Option<Bound<u32>>,
    /// How many connections an address may have open; by default none where HOST is a loopback
    /// address. Trusted proxies are not limited [default: 256]
    #[arg(long, env, hide_env_values = true, value_parser = bound)]
    connections_per_address: Option<Bound<u32>>,
    /// How many names an address may check per second, and how many sign-ins it may start
    /// [default: 20]
    #[arg(long, env, hide_env_values = true, value_parser = bound)]
    check_rate_limit: Option<Bound<u32>>,
    /// How long the name of a removed stack is reserved for its owner, with AUTH oidc
    /// [default: 24h]
    #[arg(long, env, hide_env_values = true, value_parser = time)]
    name_hold_down: Option<Bound<Duration>>,
    /// Of how many removed stacks a person may keep the data [default: 5]
    #[arg(long, env, hide_env_values = true, value_parser = bound)]
    kept_per_person: Option<Bound<u32>>,
    /// How long the data of a removed stack is kept
    #[arg(long, env, hide_env_values = true, value_parser = parse::duration, default_value = "7d")]
    removal_grace: Duration,
    /// How long a stack lives unless its owner keeps it for longer, at most that far ahead each time:
    /// then it is stopped, and later removed, with its data kept [default: none]
    #[arg(long, env, hide_env_values = true, value_parser = time)]
    stack_lifetime_max: Option<Bound<Duration>>,
    /// Proxies whose X-Forwarded-For is trusted: addresses or networks like 10.0.0.0/8, separated
    /// by commas [default: none]
    #[arg(long, env, hide_env_values = true, value_parser = proxy, value_delimiter = ',')]
    pub(super) trusted_proxies: Vec<Proxy>,
    /// Other origins whose pages may use the API with a token, separated by commas
    /// [default: none]
    #[arg(long, env, hide_env_values = true, value_parser = parse::public_url, value_delimiter = ',')]
    pub(super) cors_origins: Vec<Origin>,
}

/// The limits on requests, streams and connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rates {
    pub(super) checks_per_second: Option<u32>,
    pub(super) streams_per_person: Option<u32>,
    pub(super) streams_per_address: Option<u32>,
    pub(super) connections_in_all: Option<u32>,
    pub(super) connections_per_address: Option<u32>,
}

impl LimitOptions {
    /// Returns the quotas.
    pub(super) fn quotas(&self, bounded: Bounded) -> Quotas {
        let day = Duration::from_hours(24);
        Quotas {
            stacks: bounded.limit(self.stacks_per_person, 5),
            under_way: bounded.limit(self.deployments_per_person, 3),
            under_way_in_all: bounded.limit(self.deployments_in_all, 200),
            per_hour: bounded.limit(self.deployments_per_hour, 20),
            operations_per_hour: bounded.limit(self.operations_per_hour, 60),
            hold_down: match bounded {
                // Without people there is no owner for whom a name could be reserved.
                Bounded::Nothing | Bounded::Addresses => None,
                Bounded::People => bounded.limit(self.name_hold_down, day),
            },
            kept: bounded.limit(self.kept_per_person, 5),
            removal_grace: self.removal_grace,
        }
    }

    /// Returns how far ahead a stack may expire.
    pub(super) fn lifetime_max(&self) -> Option<Duration> {
        match self.stack_lifetime_max {
            Some(Bound::AtMost(max)) => Some(max),
            Some(Bound::Unbounded) | None => None,
        }
    }

    /// Returns the limits on requests, streams and connections of a portal that listens on `host`.
    pub(super) fn rates(&self, bounded: Bounded, host: IpAddr) -> Rates {
        let number = |given, limit| bounded.limit(given, limit);
        let is_local = host.to_canonical().is_loopback();
        let reached_by = if is_local { Bounded::Nothing } else { Bounded::Addresses };
        Rates {
            checks_per_second: number(self.check_rate_limit, 20),
            streams_per_person: number(self.streams_per_person, 20),
            streams_per_address: number(self.streams_per_address, 100),
            connections_in_all: match self.connections_in_all {
                Some(Bound::AtMost(limit)) => Some(limit),
                Some(Bound::Unbounded) | None => None,
            },
            connections_per_address: reached_by.limit(self.connections_per_address, 256),
        }
    }
}

impl Bounded {
    /// Returns the limit that was given; by default `otherwise`, where limits apply.
    pub(super) fn limit<T>(self, given: Option<Bound<T>>, otherwise: T) -> Option<T> {
        match (given, self) {
            (Some(Bound::AtMost(limit)), _) => Some(limit),
            (Some(Bound::Unbounded), _) | (None, Self::Nothing) => None,
            (None, Self::Addresses | Self::People) => Some(otherwise),
        }
    }
}

fn bound(text: &str) -> Result<Bound<u32>, String> {
    if text == "none" { Ok(Bound::Unbounded) } else { parse::count(text).map(Bound::AtMost) }
}

fn time(text: &str) -> Result<Bound<Duration>, String> {
    if text == "none" { Ok(Bound::Unbounded) } else { parse::duration(text).map(Bound::AtMost) }
}

fn proxy(text: &str) -> Result<Proxy, String> {
    Proxy::parse(text.trim()).map_err(|error| format!("holds {text:?}: {error}"))
}

//! All adversaries that are known: guests, clients and tokens.

mod clients;
mod guests;
mod tokens;

use std::sync::atomic::AtomicBool;

use anyhow::Result;
use serde::Serialize;

use super::crowd::Crowd;
use super::scene::{ADVERSARY, Scene};

/// What an adversary is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// An app that is asked for.
    Guest,
    /// A client.
    Client,
    /// Whoever has a token of the adversary's tenant.
    Token,
}

impl By {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            By::Guest => "guest",
            By::Client => "client",
            By::Token => "token",
        }
    }
}

/// The app of an adversary.
#[derive(Clone, Copy)]
pub enum App {
    /// An example, or a guest of the tests.
    Example(&'static str),
    /// One that is made.
    Made(fn() -> Result<Vec<u8>>),
}

/// What it does.
#[derive(Clone, Copy)]
pub enum Attack {
    /// So many clients ask its app for this, read, and ask again.
    Asks(usize, &'static str),
    /// This, until it is over. What it returns is added to the row; an error misses the
    /// mark.
    Does(Act),
    /// The same, until it has come to an end by itself.
    Ends(Act),
}

/// See [`Attack::Does`].
type Act = fn(&Scene, &AtomicBool) -> Result<Option<String>>;

/// One adversary.
pub struct Adversary {
    /// What it is called.
    pub name: &'static str,
    /// What it is.
    pub by: By,
    /// What it does, in a few words.
    pub does: &'static str,
    /// The app of its tenant.
    pub app: App,
    /// More keys of the server.
    pub server: &'static str,
    /// Whether it is in the short form. Of those that are alike, one is.
    pub is_in_short: bool,
    /// How.
    pub attack: Attack,
}

impl Adversary {
    /// A guest that `clients` ask for `target`.
    const fn guest(name: &'static str, app: App, clients: usize, target: &'static str) -> Self {
        Adversary {
            name,
            by: By::Guest,
            does: "",
            app,
            server: "",
            is_in_short: true,
            attack: Attack::Asks(clients, target),
        }
    }

    /// Clients of an app.
    const fn client(name: &'static str, app: &'static str, attack: Act) -> Self {
        Adversary {
            name,
            by: By::Client,
            does: "",
            app: App::Example(app),
            server: "",
            is_in_short: true,
            attack: Attack::Does(attack),
        }
    }

    /// Someone with a token.
    const fn token(name: &'static str, attack: Act) -> Self {
        Adversary {
            by: By::Token,
            ..Adversary::client(name, "hello", attack)
        }
    }

    const fn doing(self, does: &'static str) -> Self {
        Adversary { does, ..self }
    }

    const fn with_server(self, server: &'static str) -> Self {
        Adversary { server, ..self }
    }

    /// The same, in the long form only.
    const fn at_length(self) -> Self {
        Adversary {
            is_in_short: false,
            ..self
        }
    }

    /// The same, until it has come to an end.
    const fn ending_by_itself(self) -> Self {
        let attack = match self.attack {
            Attack::Does(attack) => Attack::Ends(attack),
            other => other,
        };
        Adversary { attack, ..self }
    }

    /// Whether it is over when it has come to an end by itself, and not before.
    pub fn ends_by_itself(&self) -> bool {
        matches!(self.attack, Attack::Ends(_))
    }

    /// Attacks until `is_over`.
    pub fn run(&self, scene: &Scene, is_over: &AtomicBool) -> Result<Option<String>> {
        match self.attack {
            Attack::Asks(clients, target) => {
                let sends = get(target);
                Crowd::of(clients, scene.server.addr).run(&|_| sends.clone(), is_over)?;
                Ok(None)
            }
            Attack::Does(attack) | Attack::Ends(attack) => attack(scene, is_over),
        }
    }
}

/// All of them: guests, clients, tokens.
pub fn all() -> impl Iterator<Item = &'static Adversary> {
    guests::ALL.iter().chain(clients::ALL).chain(tokens::ALL)
}

/// The guests of the tests that they need.
pub fn test_guests() -> Vec<&'static str> {
    let name = |adversary: &'static Adversary| match adversary.app {
        App::Example("hello") | App::Made(_) => None,
        App::Example(name) => Some(name),
    };
    let mut names: Vec<_> = all().filter_map(name).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// A request for the adversary's app, over a connection that ends with it.
fn get(target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: {ADVERSARY}\r\nConnection: close\r\n\r\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_has_a_name_of_its_own_and_says_what_it_does() {
        let names: BTreeSet<_> = all().map(|adversary| adversary.name).collect();
        assert_eq!(names.len(), all().count());
        assert!(all().all(|adversary| !adversary.does.is_empty()));
    }
}

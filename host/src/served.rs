//! What a site serves: nothing yet, one app, or many.

use crate::environ::{Peer, asked_host};
use crate::failure::Cause;
use crate::routing::{Asked, Routes};
use crate::tenancy::Tenant;
use http::request::Parts;
use std::sync::Arc;

/// What a site serves, of apps `T`.
pub enum Served<T> {
    /// An app that has not been built for the first time.
    Nothing,
    /// One, for all hosts. It has nothing to be looked up.
    One(Arc<T>),
    /// As many as there are.
    Many(Routes<Arc<T>>),
}

impl<T> Served<T> {
    /// One app, or none yet.
    pub fn one(app: Option<T>) -> Self {
        app.map_or(Served::Nothing, |app| Served::One(Arc::new(app)))
    }

    /// All apps, some of them several times.
    pub fn apps(&self) -> impl Iterator<Item = &Arc<T>> {
        let (one, many) = match self {
            Served::Nothing => (None, None),
            Served::One(app) => (Some(app), None),
            Served::Many(routes) => (None, Some(routes.all())),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }

    /// The app that a request is for, and its tenant if it is one's.
    pub fn find(&self, head: &Parts, peer: &Peer) -> Result<(Arc<T>, Option<Arc<Tenant>>), Cause> {
        match self {
            Served::Nothing => Err(Cause::NotBuilt),
            Served::One(app) => Ok((app.clone(), None)),
            Served::Many(routes) => {
                let (app, tenant) = routes.find(Asked {
                    host: asked_host(head, peer),
                    path: head.uri.path_and_query().map_or("", |target| target.path()),
                    sni: peer.sni(),
                })?;
                Ok((app.clone(), tenant.cloned()))
            }
        }
    }
}

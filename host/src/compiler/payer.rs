//! On whose account a component is compiled.

use std::sync::Arc;
use std::time::Duration;

/// Who pays for compiling: the operator, or a tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Payer {
    tenant: Option<Arc<str>>,
    /// What it may compile in a minute.
    quota: Option<Duration>,
}

impl Payer {
    /// The operator, who has no quota.
    pub fn operator() -> Self {
        Payer::default()
    }

    /// The tenant called `name`, who may use `quota` of CPU time in a minute.
    pub fn tenant(name: &str, quota: Duration) -> Self {
        Payer {
            tenant: Some(name.into()),
            quota: Some(quota),
        }
    }

    /// The tenant's name; none for the operator.
    pub fn name(&self) -> Option<&Arc<str>> {
        self.tenant.as_ref()
    }

    /// CPU time that it may use in a minute, if that is bounded.
    pub fn quota(&self) -> Option<Duration> {
        self.quota
    }
}

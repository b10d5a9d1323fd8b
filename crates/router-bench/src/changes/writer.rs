//! [`Writer`], the trait of the databases that a run writes to.

use intent_router::BoxFuture;

/// The database behind a router, as another program writes to it.
pub trait Writer: Send + Sync {
    /// Sets the amounts of all payments of a member in one transaction. Returns the
    /// position of the change, where the database has positions; an error if the
    /// member has no payments.
    fn write<'a>(
        &'a self,
        member: &'a str,
        amount_cents: i64,
    ) -> BoxFuture<'a, anyhow::Result<Option<String>>>;

    /// Waits until the changes up to a position are applied; false if they are not in
    /// time.
    fn applied<'a>(&'a self, position: &'a str) -> BoxFuture<'a, bool>;
}

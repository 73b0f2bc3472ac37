//! What carries requests to hosts, where it is not a client of our own.
//!
//! The whole of an exchange but the wire stays ours over any carrier: whose turn it is, conditions,
//! redirects, timeouts, bounds, and what an answer means.

use bytes::Bytes;
use http::Request;
use http::Response;
use http_body_util::combinators::BoxBody;
use std::fmt::Debug;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;

/// What will be there later.
pub type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Why a request was not carried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The connection did not come about, for this reason.
    Connection(String),
    /// It broke, for this reason.
    Broken(String),
}

/// What carries requests to hosts.
pub trait Carrier: Debug + Send + Sync {
    /// The addresses of a name.
    fn look_up(&self, name: String) -> Later<io::Result<Vec<IpAddr>>>;

    /// Carries a request to its host, and the head of the answer back; the body comes by itself.
    /// May be dropped at any time.
    fn carry(
        &self,
        request: Request<()>,
    ) -> Later<Result<Response<BoxBody<Bytes, io::Error>>, Failure>>;
}

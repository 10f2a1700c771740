//! Whether the body of a request was read to its end.
//!
//! A refusal often comes before the body has. Unless all of it has arrived by then, the connection ends with the answer, because what
//! follows on it would be the rest of that body. A client that is not told so sends its next request there, and finds nobody. Whether it
//! has arrived is not known here, so the connection ends in either case: only whoever is refused has to connect again.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::task::Poll;

use axum::body::Body;
use axum::body::Bytes;
use axum::body::HttpBody;
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::Version;
use axum::http::header::CONNECTION;
use axum::response::Response;
use http_body::Frame;
use http_body::SizeHint;

/// What became of the body of one request.
pub struct Followed {
    was_read: Arc<AtomicBool>,
    version: Version,
}

impl Followed {
    /// Follows the body of a request from now on.
    pub fn new(request: Request) -> (Request, Self) {
        let was_read = Arc::new(AtomicBool::new(request.body().is_end_stream()));
        let followed = Self { was_read: Arc::clone(&was_read), version: request.version() };
        (request.map(|body| Body::new(Reading { body, was_read })), followed)
    }

    /// Says in an answer that the connection ends with it, if it does.
    pub fn tell(&self, response: &mut Response) {
        // In HTTP/2 each request has a stream of its own.
        if self.version < Version::HTTP_2 && !self.was_read.load(Ordering::Relaxed) {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

/// A body that tells when it has been read.
struct Reading {
    body: Body,
    was_read: Arc<AtomicBool>,
}

impl HttpBody for Reading {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let next = Pin::new(&mut self.body).poll_frame(context);
        if matches!(next, Poll::Ready(None)) || self.body.is_end_stream() {
            self.was_read.store(true, Ordering::Relaxed);
        }
        next
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

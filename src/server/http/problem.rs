//! What is wrong with an exchange, in the form of the interface that was called.

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header::ALLOW;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::response::Response;
use serde::Serialize;
use serde_json::json;

/// A JSON answer: compact, UTF-8 unescaped, without a charset.
pub fn json<T: Serialize>(status: StatusCode, value: &T) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => raw_json(status, body),
        Err(error) => {
            tracing::error!("an answer cannot be written: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A JSON answer that has been written already.
pub fn raw_json(status: StatusCode, body: impl Into<Body>) -> Response {
    (status, [(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body.into()).into_response()
}

/// How an interface writes its problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `{"detail": …}`.
    Detail,
    /// `{"error": {"status": …, "message": …}}`, as inside an AuthZEN batch.
    AuthZen,
}

impl Form {
    /// The form of the interface that a path belongs to.
    pub fn of(path: &str) -> Self {
        if path.starts_with("/access/") { Self::AuthZen } else { Self::Detail }
    }

    /// A problem.
    pub fn problem(self, status: StatusCode, message: &str) -> Response {
        match self {
            Self::Detail => json(status, &json!({ "detail": message })),
            Self::AuthZen => json(status, &Problem { error: ErrorObject::new(status, message) }),
        }
    }

    /// The only method of a path is another one.
    pub fn wrong_method(self, allowed: &'static str) -> Response {
        let mut response = self.problem(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
        response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
        response
    }
}

/// The error object of AuthZEN.
#[derive(Debug, Serialize)]
pub struct ErrorObject {
    status: u16,
    message: String,
}

impl ErrorObject {
    /// What is wrong, with the status that it would have outside of a batch.
    pub fn new(status: StatusCode, message: &str) -> Self {
        Self { status: status.as_u16(), message: message.to_owned() }
    }
}

#[derive(Debug, Serialize)]
struct Problem {
    error: ErrorObject,
}

/// The value of a header as text; `None` when it is absent or not text.
pub fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

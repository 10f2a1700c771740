//! The files of a bundle from a file server, as a client that verifies everything itself may fetch them.

use std::io;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use ureq::Agent;
use ureq::http::StatusCode;
use ureq::tls::RootCerts;
use ureq::tls::TlsConfig;

/// How long a server may take to be connected to, and to begin its answer.
const FIRST_BYTE: Duration = Duration::from_secs(10);

/// A client of one file server.
#[derive(Debug)]
pub struct Client {
    agent: Agent,
}

/// What a file server says about a file.
pub enum Answer {
    /// It is the one that the tag names.
    Unchanged,
    /// It is this, with its tag if the server gives one.
    File {
        /// The content, which is read as it is asked for.
        body: Box<dyn Read + Send>,
        /// The entity tag.
        tag: Option<String>,
    },
}

impl Client {
    /// A client that trusts the certificates that the system trusts.
    pub fn new() -> Self {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).unversioned_rustls_crypto_provider(provider).build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .timeout_connect(Some(FIRST_BYTE))
            .timeout_recv_response(Some(FIRST_BYTE))
            .max_redirects(5)
            .https_only(false)
            .http_status_as_error(false)
            .user_agent(concat!("lawbook/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { agent: config.into() }
    }

    /// Fetches a file, unless it still is the one with this tag. The time is for the whole of it, with its last byte.
    pub fn get(&self, url: &str, tag: Option<&str>, within: Duration) -> io::Result<Answer> {
        let mut request = self.agent.get(url).config().timeout_global(Some(within)).build();
        if let Some(tag) = tag {
            request = request.header("if-none-match", tag);
        }
        let response = request.call().map_err(|error| io::Error::other(format!("`{url}`: {error}")))?;
        match response.status() {
            StatusCode::NOT_MODIFIED => Ok(Answer::Unchanged),
            StatusCode::OK => {
                let tag = response.headers().get("etag").and_then(|tag| tag.to_str().ok()).map(str::to_owned);
                Ok(Answer::File { body: Box::new(response.into_body().into_reader()), tag })
            }
            status => Err(io::Error::other(format!("`{url}` answers {status}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::TcpListener;
    use std::time::Instant;

    use super::*;

    /// A file server that stopped in the middle kept everything else from being loaded for five minutes.
    #[test]
    fn an_answer_that_does_not_come_to_its_end_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
        let url = format!("http://{}/law", listener.local_addr().expect("an address"));
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            let mut head = [0; 1024];
            assert!(stream.read(&mut head).expect("a request") > 0);
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf").expect("sent");
            // Nothing more comes, and the connection stays open until the client gives up.
            while stream.read(&mut head).is_ok_and(|read| read > 0) {}
        });
        let started = Instant::now();
        let answer = Client::new().get(&url, None, Duration::from_millis(300)).expect("it begins");
        let Answer::File { mut body, .. } = answer else { panic!("it is a file") };
        let mut found = Vec::new();
        assert!(body.read_to_end(&mut found).is_err(), "{found:?}");
        assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
        drop(body);
        server.join().expect("it ends");
    }
}

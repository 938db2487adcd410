//! A phone's own web server: its resync address, and the XML object.

use std::time::Duration;

use hyper::client::conn::http1;
use hyper::{Method, Request, header};
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{PushError, Target, Wish, token};
use crate::phone::credentials::{Challenge, Covered, Credentials};

/// What ends a query, or a request's line. The rest of a rule stands there as the guide prints it.
const RULE: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'&');

/// What would end a value of the query.
const VALUE: &AsciiSet = &RULE.add(b'%').add(b'+').add(b'=').add(b'?').add(b'/');

/// Asks for the phone's `/admin/resync?URL` or `/admin/reboot`. Its login stands in the query, which whoever is on the
/// way can read: that is how these phones have it.
///
/// # Errors
/// As [`super::notify`].
pub async fn visit(target: &Target, wish: &Wish) -> Result<(), PushError> {
    let mut path = match wish {
        Wish::Resync(None) => "/admin/resync".to_owned(),
        Wish::Resync(Some(rule)) => format!("/admin/resync?{}", utf8_percent_encode(rule, RULE)),
        Wish::Reboot => "/admin/reboot".to_owned(),
        Wish::Report | Wish::Restart | Wish::ProblemReport => {
            return Err(PushError::Unsuitable("a phone's web page takes resync and reboot only: use --method notify"));
        }
    };
    if let Some(Credentials { user, password }) = &target.credentials {
        let mark = if path.contains('?') { '&' } else { '?' };
        let (user, password) = (utf8_percent_encode(user, VALUE), utf8_percent_encode(password.expose(), VALUE));
        path = format!("{path}{mark}xuser={user}&xpassword={password}");
    }
    ask(target, Method::GET, &path, String::new()).await
}

/// Posts the XML object of this product to `/CGI/Execute`.
///
/// # Errors
/// As [`super::notify`].
pub async fn execute(target: &Target, wish: &Wish, product: &str) -> Result<(), PushError> {
    let Wish::Resync(Some(rule)) = wish else {
        return Err(PushError::Unsuitable(
            "the XML object takes a resync with a rule only: give --rule, or --method notify",
        ));
    };
    ask(target, Method::POST, "/CGI/Execute", object(product, rule)).await
}

/// The object (Cisco "Provisioning Methods", Cisco XML).
fn object(product: &str, rule: &str) -> String {
    let rule = rule.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    format!("<{product}Execute><ExecuteItem URL=\"Resync:{rule}\"/></{product}Execute>")
}

/// One request; where it is challenged, one more.
async fn ask(target: &Target, method: Method, path: &str, body: String) -> Result<(), PushError> {
    let (status, reason, challenges) = exchange(target, &method, path, (body.clone(), None)).await?;
    match status {
        200..=299 => return Ok(()),
        401 => {}
        _ => return Err(PushError::Refused { status, reason }),
    }
    let credentials = target.credentials.as_ref().ok_or(PushError::NoCredentials)?;
    let challenge = Challenge::choose(challenges.iter().map(String::as_str)).map_err(PushError::Challenge)?;
    let cnonce = token()?;
    let covered = Covered { method: method.as_str(), path, cnonce: &cnonce, count: 1 };
    let answer = challenge.answer(credentials, covered);
    match exchange(target, &method, path, (body, Some(answer.expose()))).await? {
        (200..=299, ..) => Ok(()),
        (401, ..) => Err(PushError::WrongCredentials),
        (status, reason, _) => Err(PushError::Refused { status, reason }),
    }
}

async fn exchange(
    target: &Target,
    method: &Method,
    path: &str,
    (body, authorization): (String, Option<&str>),
) -> Result<(u16, String, Vec<String>), PushError> {
    let address = target.address;
    let lost = |error| PushError::Network { address, error };
    let broken = |error: hyper::Error| lost(std::io::Error::other(error));
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, address.to_string())
        .header(header::USER_AGENT, "phoneprov")
        .header(header::CONNECTION, "close");
    if !body.is_empty() {
        request = request.header(header::CONTENT_TYPE, "text/xml");
    }
    if let Some(authorization) = authorization {
        request = request.header(header::AUTHORIZATION, authorization);
    }
    let request = request.body(body).map_err(|error| lost(std::io::Error::other(error)))?;
    let exchanging = async {
        let stream = TcpStream::connect(address).await.map_err(lost)?;
        match &target.secure {
            None => over(stream, request).await.map_err(broken),
            Some(secure) => over(secure.connect(stream).await?, request).await.map_err(broken),
        }
    };
    let patience = target.patience.max(Duration::from_millis(100));
    timeout(patience, exchanging).await.unwrap_or(Err(PushError::Silent(address)))
}

/// Status, its words, and challenges of an answer.
async fn over<S>(stream: S, request: Request<String>) -> hyper::Result<(u16, String, Vec<String>)>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // The connection moves while its answer is waited for; the answer's body is of no use.
    let mut answering = std::pin::pin!(sender.send_request(request));
    let answer = tokio::select! {
        answer = &mut answering => answer,
        // It may end with the answer.
        ended = connection => match ended {
            Ok(()) => answering.await,
            Err(error) => Err(error),
        },
    }?;
    let values = answer.headers().get_all(header::WWW_AUTHENTICATE).iter();
    let challenges = values.filter_map(|value| value.to_str().ok()).map(str::to_owned).collect();
    let reason = answer.status().canonical_reason().unwrap_or_default().to_owned();
    Ok((answer.status().as_u16(), reason, challenges))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_object_is_that_of_the_guide() {
        let rule = "https://h/$PN/$MA.cfg?a&b";
        assert_eq!(
            object("CP-8841-3PCC", rule),
            "<CP-8841-3PCCExecute><ExecuteItem URL=\"Resync:https://h/$PN/$MA.cfg?a&amp;b\"/></CP-8841-3PCCExecute>"
        );
    }

    #[tokio::test]
    async fn what_a_way_does_not_have_is_said() {
        let address = ([127, 0, 0, 1], 9).into();
        let target =
            Target { address, user: "x".into(), credentials: None, patience: Duration::from_secs(1), secure: None };
        assert!(matches!(visit(&target, &Wish::Report).await, Err(PushError::Unsuitable(_))));
        assert!(matches!(execute(&target, &Wish::Resync(None), "CP-8841-3PCC").await, Err(PushError::Unsuitable(_))));
        let rule = Wish::Resync(Some("[--key x] http://h/a".into()));
        assert!(matches!(
            super::super::notify(&target, &rule, super::super::Carrier::Udp).await,
            Err(PushError::Unsuitable(_))
        ));
    }
}

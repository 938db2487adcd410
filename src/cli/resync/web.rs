//! Who is believed to be a phone's web page, where that speaks HTTPS.

use std::sync::Arc;

use anyhow::{Context as _, ensure};

use super::Method;
use crate::certificate::Reader;
use crate::config::{Config, WebScheme, WebTrust};
use crate::inventory::Known;
use crate::trust::{Client, Objection, Secure};

/// What HTTPS to every phone has in common.
pub(super) struct Web {
    client: Client,
    trust: WebTrust,
    reader: Reader,
}

impl Web {
    /// By the configuration; `None` where phones are told otherwise than by HTTPS.
    ///
    /// # Errors
    /// An authority's file cannot be read, or nobody could be believed.
    pub(super) fn of(config: &Config, method: Method) -> anyhow::Result<Option<Self>> {
        if method == Method::Notify || config.push.web == WebScheme::Http {
            return Ok(None);
        }
        let (trust, tls) = (config.push.web_trust, &config.client_tls);
        ensure!(
            trust == WebTrust::Any || !tls.ca.is_empty(),
            "client_tls.ca is not set, so no phone's certificate is believed: name its authorities there, or set \
             push.web_trust = \"any\""
        );
        let client = Client::of(tls).context("TLS to phones")?;
        Ok(Some(Self { client, trust, reader: config.certificates.clone() }))
    }

    /// How this phone is spoken to.
    pub(super) fn to(&self, known: &Arc<Known>) -> Secure {
        let (known, reader) = (known.clone(), self.reader.clone());
        let names_it = move |der: &[u8]| match reader.device(der) {
            Ok(identity) if known.is_proven_by(&identity) => None,
            Ok(identity) => Some(format!("it is that of {identity}")),
            Err(error) => Some(error.to_string()),
        };
        let objection: Option<Objection> = match self.trust {
            WebTrust::Ca => Some(Arc::new(names_it)),
            WebTrust::Any => None,
        };
        Secure { client: self.client.clone(), objection }
    }
}

//! What is promised to phones whose certificate has expired: the profile that has them renew it, and a listener that lets
//! them come for it.

use super::Finding;
use crate::app::App;
use crate::config::{ClientCertificate, Config, Expired, Renewal, Speaks};
use crate::device::DeviceIdentity;
use crate::profile::macros::Macros;
use crate::provision;

/// The parameter that makes a phone renew its certificate (Cisco MPP guide, provisioning methods).
const REFRESH: &str = "MIC_Cert_Refresh_Enable";

/// The longest profile that is looked into (bytes).
const LONGEST: u64 = 1024 * 1024;

/// Looks at every rule that forgives.
pub(super) fn findings(app: &App, sample: Option<&DeviceIdentity>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in &app.config.rules {
        let place = format!("rule {}", rule.path);
        let renewal = match &rule.expired {
            Expired::Refuse => continue,
            Expired::Within(_) => None,
            Expired::Renew(renewal) => Some(renewal),
        };
        findings.extend(closed(&app.config).map(|message| Finding::warning(&place, message)));
        findings.extend(renewal.and_then(|renewal| missing(app, renewal, sample, &place)));
    }
    findings
}

/// A listener that ends the handshake of a phone with an expired certificate.
fn closed(config: &Config) -> impl Iterator<Item = String> {
    let requires =
        |speaks: &Speaks| matches!(speaks, Speaks::Https(tls) if tls.client_certificate == ClientCertificate::Require);
    config.listen.iter().filter(move |listen| requires(&listen.speaks)).map(|listen| {
        format!(
            "rule.expired forgives, but listen {} requires a certificate that is valid: let it be \"request\"",
            listen.address
        )
    })
}

fn missing(app: &App, renewal: &Renewal, sample: Option<&DeviceIdentity>, place: &str) -> Option<Finding> {
    let mut macros = Macros::default();
    if let Some(sample) = sample {
        macros.complete(sample);
    }
    let Ok(Some(found)) = provision::renewal_file(&app.line.tree, renewal, &macros) else {
        let message =
            format!("no file for rule.renew, {}: phones with an expired certificate get nothing", renewal.as_str());
        return Some(Finding::error(place, message));
    };
    let (content, _) = app.line.tree.root().read(&found.file, LONGEST).ok()?;
    let message =
        format!("rule.renew names it, and it does not set {REFRESH}: phones would not renew their certificate");
    let sets = String::from_utf8_lossy(&content).contains(&format!("<{REFRESH}"));
    (!sets).then(|| Finding::warning(&*found.file, message))
}

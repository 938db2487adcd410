//! Step 4 for the reflector: what the phone's certificate says of it, as a profile that puts it into `GPP_D` (Cisco MPP
//! guide, "HTTPS with client certificate filtering and dynamic content"). The guide's script reads the issuer's fields
//! (`SSL_CLIENT_I_DN_OU`), against its own text: who the phone is stands in the subject.

use std::time::SystemTime;

use super::{Coding, Document, Line, Profile};
use crate::certificate::Credential;
use crate::profile::escape::escaped;
use crate::profile::template::Source;

/// Writes it; without a certificate, of which there is one, the fields are empty.
pub(super) fn reflect(line: &Line, profile: &Profile) -> Document {
    let grant = profile.grant();
    let text = text(grant.certificate().map(AsRef::as_ref));
    let source = Source { file: grant.found().file.to_string(), stamp: Some(grant.found().stamp) };
    Document {
        bytes: text.into(),
        sources: vec![source],
        modified: line.configured,
        read: SystemTime::now(),
        coding: Coding::Identity,
        is_personal: true,
    }
}

fn text(credential: Option<&Credential>) -> String {
    let field = |name: &str| {
        let value = credential.and_then(|credential| credential.field(name)).unwrap_or_default();
        escaped(&value)
    };
    let (unit, locality, state) = (field("OU"), field("L"), field("ST"));
    format!("<flat-profile><GPP_D>OU={unit}, L={locality}, S={state}</GPP_D></flat-profile>\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::DeviceIdentity;

    #[test]
    fn the_subject_is_written_as_the_guides_script_does_and_escaped() {
        let mac = "000e08abcdef".parse().ok();
        let serial = "88012BA01234".parse().ok();
        let identity = DeviceIdentity::new(mac, serial, "SPA-962".parse().ok()).expect("an identity");
        let mut credential = Credential::sample(&identity);
        assert_eq!(
            text(Some(&credential)),
            "<flat-profile><GPP_D>OU=SPA-962, L=88012BA01234, S=000e08abcdef</GPP_D></flat-profile>\n"
        );
        credential.subject = vec![("OU".into(), "</GPP_D>&\"é".into()), ("CN".into(), "x".into())];
        assert_eq!(
            text(Some(&credential)),
            "<flat-profile><GPP_D>OU=&lt;/GPP_D&gt;&amp;&quot;&#233;, L=, S=</GPP_D></flat-profile>\n"
        );
    }
}

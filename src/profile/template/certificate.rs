//! `certificate` in a template: what the phone's certificate says.

use std::sync::Arc;

use minijinja::value::{Object, Value};

use crate::certificate::Credential;

/// A certificate as minijinja sees it: the subject's fields by their abbreviations (`certificate.OU`, `certificate.ST` or
/// `certificate.S`, `certificate.serialNumber`), and `issuer`, `expires`, `fingerprint`. A field that is not there is
/// undefined, which is an error.
#[derive(Debug)]
pub(super) struct Shown(pub(super) Arc<Credential>);

impl Object for Shown {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let credential = &self.0;
        match key {
            "issuer" => Some(credential.issuer.clone().into()),
            "expires" => Some(credential.expires.to_string().into()),
            "fingerprint" => Some(credential.fingerprint.to_string().into()),
            field => credential.field(field).map(Value::from),
        }
    }
}

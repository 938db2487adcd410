//! What a template may name, and what is said when it names something else.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use minijinja::value::{Object, Value};
use minijinja::{Error, ErrorKind};

use super::certificate::Shown;
use super::{KEY, LONGEST, Plain, TemplateError, Variables};
use crate::certificate::Credential;
use crate::profile::macros::{Macro, Macros};

/// The name of the phone's certificate, which no variable may have.
const CERTIFICATE: &str = "certificate";

/// How details of minijinja's begin that name types, not values.
const HOLD_NO_VALUE: [&str; 10] = [
    "tried to use ",
    "recursion limit exceeded",
    "strings can only be multiplied",
    "sequences and iterables can only be multiplied",
    "repeated ",
    "range has too many elements",
    "cannot perform a containment check",
    "can only assign to namespaces",
    "tried to extend a second time",
    "no parent block exists",
];

/// The names that a template sees: macros first, then variables.
#[derive(Debug)]
struct Scope {
    macros: Macros,
    variables: Arc<Variables>,
    certificate: Option<Arc<Credential>>,
    /// The certificate was asked for.
    is_personal: AtomicBool,
    missed: Mutex<Option<String>>,
}

/// A scope as minijinja takes it, while we keep hold of it for what it missed.
#[derive(Clone)]
pub(super) struct Names(Arc<Scope>);

impl From<Names> for Value {
    fn from(names: Names) -> Self {
        Value::from_dyn_object(names.0)
    }
}

impl Object for Scope {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let value = match Macro::named(key) {
            Some(name) => self.macros.value(name).map(Value::from),
            None if key == CERTIFICATE => {
                self.is_personal.store(true, Ordering::Relaxed);
                self.certificate.clone().map(|credential| Value::from_object(Shown(credential)))
            }
            None => self.variables.get(key).cloned(),
        };
        let mut missed = self.missed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *missed = value.is_none().then(|| key.to_owned());
        value
    }
}

impl Names {
    pub(super) fn new(macros: &Macros, variables: &Arc<Variables>, certificate: Option<&Arc<Credential>>) -> Self {
        Self(Arc::new(Scope {
            macros: macros.clone(),
            variables: variables.clone(),
            certificate: certificate.cloned(),
            is_personal: AtomicBool::new(false),
            missed: Mutex::default(),
        }))
    }

    pub(super) fn is_personal(&self) -> bool {
        self.0.is_personal.load(Ordering::Relaxed)
    }

    /// What went wrong, with no value in it: some of minijinja's details quote what they could not convert.
    pub(super) fn explain(&self, file: &str, error: &Error) -> TemplateError {
        let place = match (error.name(), error.line()) {
            (None, _) => file.to_owned(),
            (Some(name), _) if name.starts_with(KEY) => file.to_owned(),
            (Some(name), Some(line)) => format!("{name}:{line}"),
            (Some(name), None) => name.to_owned(),
        };
        let source = std::error::Error::source(error);
        if let Some(inner) = source.and_then(|source| source.downcast_ref::<Error>()) {
            return self.explain(file, inner);
        }
        if let Some(Plain(reason)) = source.and_then(|source| source.downcast_ref::<Plain>()) {
            return TemplateError::new(place, reason.clone());
        }
        let missed = self.0.missed.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let reason = match (error.kind(), missed) {
            (ErrorKind::UndefinedError, Some(name)) if Macro::named(&name).is_some() => {
                format!("`{name}` is not known for this phone: neither its path nor its certificate says it")
            }
            (ErrorKind::UndefinedError, Some(name)) if name == CERTIFICATE => {
                format!("`{name}` is not known: the phone showed none that verifies")
            }
            (ErrorKind::UndefinedError, Some(name)) => {
                let reason = format!("`{name}` is not defined: add it to [variables], or give it a default");
                return TemplateError { lacks_variable: true, ..TemplateError::new(place, reason) };
            }
            (ErrorKind::UndefinedError, None) => "an attribute that the line uses is not defined".to_owned(),
            (ErrorKind::WriteFailure, _) => format!("the profile is longer than {LONGEST} bytes"),
            (ErrorKind::OutOfFuel, _) => "the template ran for too long: does a loop end?".to_owned(),
            (
                kind @ (ErrorKind::SyntaxError
                | ErrorKind::TemplateNotFound
                | ErrorKind::UnknownFilter
                | ErrorKind::UnknownFunction
                | ErrorKind::UnknownMethod
                | ErrorKind::UnknownTest),
                _,
            ) => error.detail().map_or_else(|| kind.to_string(), ToOwned::to_owned),
            (kind, _) => match error.detail() {
                Some(detail) if HOLD_NO_VALUE.iter().any(|beginning| detail.starts_with(beginning)) => {
                    detail.to_owned()
                }
                Some(_) | None => kind.to_string(),
            },
        };
        TemplateError::new(place, reason)
    }
}

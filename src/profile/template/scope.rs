//! What a template may name, and what is said when it names something else.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use minijinja::value::{Object, Value};
use minijinja::{Error, ErrorKind};

use super::certificate::Shown;
use super::{KEY, Plain, TemplateError, Variables, attribute, detail, trace};
use crate::certificate::Credential;
use crate::profile::macros::{Macro, Macros};

/// The name of the phone's certificate, which no variable may have.
const CERTIFICATE: &str = "certificate";

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

    /// What went wrong, with no value in it: some of minijinja's details quote what they could not convert. `text` gives
    /// what stands in a template.
    pub(super) fn explain(&self, file: &str, error: &Error, text: &dyn Fn(&str) -> Option<String>) -> TemplateError {
        let place = match (error.name(), error.line()) {
            (None, _) => file.to_owned(),
            (Some(name), _) if name.starts_with(KEY) => file.to_owned(),
            (Some(name), Some(line)) => format!("{name}:{line}"),
            (Some(name), None) => name.to_owned(),
        };
        let source = std::error::Error::source(error);
        if let Some(inner) = source.and_then(|source| source.downcast_ref::<Error>()) {
            return self.explain(file, inner, text);
        }
        if let Some(Plain(reason)) = source.and_then(|source| source.downcast_ref::<Plain>()) {
            return TemplateError::new(place, reason.clone());
        }
        match error.kind() {
            ErrorKind::UndefinedError => self.undefined(place, line(error, text).as_deref()),
            _ => TemplateError::new(place, detail::of(error)),
        }
    }

    /// What has no value on this line.
    fn undefined(&self, place: String, line: Option<&str>) -> TemplateError {
        let missed = self.0.missed.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        // The last name that was missed may have had a default, on another line.
        let is_elsewhere = |name: &String| {
            let is_here = |line: &str| trace::tags(line).flat_map(trace::words_of).any(|word| word == name);
            line.is_some_and(|line| !is_here(line) && !attribute::attributes(line).is_empty())
        };
        let Some(name) = missed.filter(|name| !is_elsewhere(name)) else {
            return TemplateError::new(place, attribute::missing(line));
        };
        let reason = match Macro::named(&name) {
            Some(_) => format!("`{name}` is not known for this phone: neither its path nor its certificate says it"),
            None if name == CERTIFICATE => format!("`{name}` is not known: the phone showed none that verifies"),
            None => {
                let reason = format!("`{name}` is not defined: add it to [variables], or give it a default");
                return TemplateError { lacks_variable: true, ..TemplateError::new(place, reason) };
            }
        };
        TemplateError::new(place, reason)
    }
}

/// The line of a template that an error is on.
fn line(error: &Error, text: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let text = text(error.name()?)?;
    text.lines().nth(error.line()?.checked_sub(1)?).map(str::to_owned)
}

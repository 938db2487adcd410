//! Templates: files whose path holds a macro, rendered for one phone.
//!
//! minijinja with strict undefined values, XML escaping, a fuel limit, and a loader that reads nothing outside the
//! profile folder. A template's text is compiled once and again when the file changes.

mod attribute;
mod certificate;
mod code;
mod detail;
mod effort;
mod functions;
mod key;
mod output;
mod overlay;
mod scope;
pub mod trace;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};
use std::time::SystemTime;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, TemplateSource, UndefinedBehavior};

pub use self::key::key_fault;
use self::output::Bounded;
use self::scope::Names;
use super::escape::write_escaped;
use super::macros::Macros;
use super::root::{Root, Stamp};
use crate::certificate::Credential;

/// The longest template, and the longest profile made from one, in bytes: far above what phones take.
const LONGEST: usize = 16 * 1024 * 1024;

/// Instructions that one rendering may run: a profile of 3 000 parameters needs some 20 000.
const FUEL: u64 = 2_000_000;

/// Templates inside templates; a file that includes itself ends here.
const NESTING: usize = 64;

/// Compiled files that are kept before all are forgotten: each device may have one of its own.
const COMPILED_KEPT: usize = 4096;

/// What the name of a rule's key begins with, of which the rest is its text: no path that is asked for has such a character.
const KEY: char = '\u{1}';

/// What errors in a rule's key are told of as.
const THE_KEY: &str = "the rule's key";

/// What templates are given beside the macros: `[variables]` of the configuration.
pub type Variables = BTreeMap<String, Value>;

/// The compiled templates of one tree.
pub struct Templates {
    root: Arc<Root>,
    environment: RwLock<Arc<Environment<'static>>>,
    compiled: Arc<AtomicUsize>,
    writing: Writing,
}

/// What templates write beside their text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writing {
    /// Nothing: a phone reads it.
    Plain,
    /// With every element where it is from: see [`trace`].
    Traced,
}

/// A rendered profile, and the files it was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The profile.
    pub text: String,
    /// Every file that was read, with its stamp: while all stamps hold, so does the text.
    pub sources: Vec<Source>,
    /// It looked for the phone's certificate: with another one it would perhaps be another.
    pub is_personal: bool,
}

/// A file that a profile was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Relative to the profile folder.
    pub file: String,
    /// What stood there; `None` where a template looked for a file and there was none.
    pub stamp: Option<Stamp>,
}

impl Source {
    /// Whether the same still stands there.
    #[must_use]
    pub fn holds(&self, root: &Root) -> bool {
        root.stamp(&self.file).is_ok_and(|stamp| stamp == self.stamp)
    }
}

/// A template gives no profile. The message names file and line and never holds a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct TemplateError {
    place: String,
    reason: String,
    lacks_variable: bool,
    sources: Vec<Source>,
}

impl TemplateError {
    fn new(place: String, reason: String) -> Self {
        Self { place, reason, lacks_variable: false, sources: Vec::new() }
    }

    /// The file, with the line where that is known.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// What is wrong there.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Every file that was looked for before.
    #[must_use]
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// Whether nothing is wrong but that a variable has no value.
    #[must_use]
    pub fn lacks_variable(&self) -> bool {
        self.lacks_variable
    }
}

/// Our own reasons, which hold no value and are safe to show whole.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Plain(String);

impl From<Plain> for Error {
    fn from(error: Plain) -> Self {
        Error::new(ErrorKind::InvalidOperation, "the template cannot go on").with_source(error)
    }
}

/// A value that fails the template which uses it, for this reason.
#[must_use]
pub fn unavailable(reason: String) -> Value {
    Error::from(Plain(reason)).into()
}

thread_local! {
    /// The files of the rendering that this thread is in: minijinja's loader has no other way to tell its caller.
    static SOURCES: RefCell<Vec<Source>> = const { RefCell::new(Vec::new()) };
}

impl Templates {
    /// No template is read yet.
    #[must_use]
    pub fn new(root: Arc<Root>) -> Self {
        let compiled = Arc::new(AtomicUsize::new(0));
        Self::writing(root, compiled, Writing::Plain)
    }

    /// The same, whose profiles say where each element is from: for people, never for a phone.
    #[must_use]
    pub fn traced(root: Arc<Root>) -> Self {
        Self::writing(root, Arc::new(AtomicUsize::new(0)), Writing::Traced)
    }

    fn writing(root: Arc<Root>, compiled: Arc<AtomicUsize>, writing: Writing) -> Self {
        let environment = RwLock::new(Arc::new(environment(&root, &compiled, writing)));
        Self { root, environment, compiled, writing }
    }

    /// Renders a file of the tree with the phone's macros, the configuration's variables, and as `certificate` what the
    /// phone's certificate says, where it has one.
    ///
    /// # Errors
    /// The file, or one it includes, has a syntax error, uses a value that is not defined, or runs without end.
    pub fn render(
        &self,
        file: &str,
        macros: &Macros,
        variables: &Arc<Variables>,
        certificate: Option<&Arc<Credential>>,
    ) -> Result<Rendered, TemplateError> {
        let scope = Names::new(macros, variables, certificate);
        let environment = self.environment();
        begin();
        let text = environment.get_template(file).and_then(|template| {
            let mut profile = Bounded::new(LONGEST);
            template.render_captured_to(scope.clone(), &mut profile)?;
            let text = String::from_utf8(profile.into_bytes());
            let text = text.map_err(|_| Plain("the profile is not UTF-8".into()))?;
            overlay::lay(text, variables)
        });
        let sources = distinct(SOURCES.take());
        match text {
            Ok(text) => Ok(Rendered { text, sources, is_personal: scope.is_personal() }),
            Err(error) => Err(TemplateError { sources, ..scope.explain(file, &error, &|name| self.text(name)) }),
        }
    }

    /// Reads a part of templates and runs nothing of it.
    ///
    /// # Errors
    /// It cannot be read, is not UTF-8, or has a syntax error.
    pub fn read(&self, part: &str) -> Result<(), TemplateError> {
        begin();
        let read = self.environment().get_template(part).map(drop);
        SOURCES.take();
        read.map_err(|error| {
            let scope = Names::new(&Macros::default(), &Arc::default(), None);
            scope.explain(part, &error, &|name| self.text(name))
        })
    }

    /// Renders a rule's key. The text is not escaped, and errors do not hold it.
    ///
    /// # Errors
    /// As [`Templates::render`].
    pub fn render_key(
        &self,
        key: &str,
        macros: &Macros,
        variables: &Arc<Variables>,
    ) -> Result<Rendered, TemplateError> {
        let scope = Names::new(macros, variables, None);
        begin();
        let name = format!("{KEY}{key}");
        let text = self.environment().get_template(&name).and_then(|template| template.render(scope.clone()));
        let sources = distinct(SOURCES.take());
        match text {
            Ok(text) => Ok(Rendered { text, sources, is_personal: scope.is_personal() }),
            Err(error) => Err(match error.kind() {
                ErrorKind::UndefinedError | ErrorKind::InvalidOperation => {
                    scope.explain(THE_KEY, &error, &|name| name.strip_prefix(KEY).map(str::to_owned))
                }
                // Other details quote its text, of which any may be part of a secret that was written without quotes.
                kind => TemplateError::new(THE_KEY.into(), kind.to_string()),
            }),
        }
    }

    /// What stands in a template now, for the words about an error in it.
    fn text(&self, file: &str) -> Option<String> {
        let (content, _) = self.root.read(file, LONGEST as u64).ok()?;
        String::from_utf8(content).ok()
    }

    fn environment(&self) -> Arc<Environment<'static>> {
        if self.compiled.load(Ordering::Relaxed) > COMPILED_KEPT {
            let mut current = self.environment.write().unwrap_or_else(std::sync::PoisonError::into_inner);
            if self.compiled.swap(0, Ordering::Relaxed) > COMPILED_KEPT {
                *current = Arc::new(environment(&self.root, &self.compiled, self.writing));
            }
        }
        self.environment.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for Templates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Templates").field("root", &self.root).finish_non_exhaustive()
    }
}

/// A rendering begins on this thread.
fn begin() {
    SOURCES.take();
    effort::begin();
    trace::begin();
}

fn environment(root: &Arc<Root>, compiled: &Arc<AtomicUsize>, writing: Writing) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(NESTING);
    if let Ok(syntax) = SyntaxConfig::builder().keep_trailing_newline(true).build() {
        environment.set_syntax(syntax);
    }
    environment.set_auto_escape_callback(|name| match name {
        _ if name.starts_with(KEY) => AutoEscape::None,
        _ => AutoEscape::Custom("xml".into()),
    });
    environment.set_formatter(write_value);
    effort::bound(&mut environment);
    functions::add_to(&mut environment);
    if writing == Writing::Traced {
        trace::add_to(&mut environment);
    }
    // Only an include passes here, never the file that a phone asked for.
    environment.set_path_join_callback(|name, _parent| match is_part(name) {
        true => name.into(),
        false => format!("\0{name}").into(),
    });
    let (root, compiled) = (root.clone(), compiled.clone());
    environment.set_loader(move |name| load(&root, (&compiled, writing), name));
    environment
}

/// Whether a name is that of a part of templates, by a way that does not leave its folder again.
fn is_part(name: &str) -> bool {
    let plain = !name.starts_with(KEY) && name.split('/').all(|part| !matches!(part, "" | "." | ".."));
    plain && name.split('/').any(|part| part.starts_with('_'))
}

/// Reads one template, and notes it as a source of the rendering under way: now, and whenever it is used again.
fn load(
    root: &Arc<Root>,
    (compiled, writing): (&AtomicUsize, Writing),
    name: &str,
) -> Result<Option<TemplateSource>, Error> {
    if let Some(name) = name.strip_prefix('\0') {
        let reason = format!("`{name}` is no part of other templates: only files or folders beginning with `_` are");
        return Err(Plain(reason).into());
    }
    if let Some(key) = name.strip_prefix(KEY) {
        code::look("key", key)?;
        return Ok(Some(TemplateSource::new(key.to_owned())));
    }
    let (content, stamp) = match root.read(name, LONGEST as u64) {
        Ok(read) => read,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            note(Source { file: name.to_owned(), stamp: None });
            return Ok(None);
        }
        Err(error) => return Err(Plain(format!("`{name}`: {error}")).into()),
    };
    let text =
        String::from_utf8(content).map_err(|_| Plain(format!("`{name}` is not UTF-8, which templates have to be")))?;
    code::look(name, &text)?;
    let text = match writing {
        Writing::Plain => text,
        Writing::Traced => trace::traced(name, &text),
    };
    compiled.fetch_add(1, Ordering::Relaxed);
    // A second change may hide behind a stamp that has not settled: such a file is read again the next time.
    let settled = stamp.is_settled(SystemTime::now());
    let source = Source { file: name.to_owned(), stamp: Some(stamp) };
    note(source.clone());
    let root = root.clone();
    Ok(Some(TemplateSource::new(text).with_uptodate_check(move || {
        let current = settled && source.holds(&root);
        if current {
            note(source.clone());
        }
        current
    })))
}

fn note(source: Source) {
    SOURCES.with_borrow_mut(|sources| sources.push(source));
}

fn distinct(mut sources: Vec<Source>) -> Vec<Source> {
    sources.sort_by(|a, b| a.file.cmp(&b.file));
    sources.dedup();
    sources
}

/// Writes a value into XML.
fn write_value(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    effort::spend(value.as_str().map_or(0, |text| text.len() as u64))?;
    if *state.auto_escape() == AutoEscape::None || value.is_safe() {
        return write!(out, "{value}").map_err(Error::from);
    }
    let Some(text) = value.as_str() else {
        return write_escaped(out, &value.to_string()).map_err(Error::from);
    };
    write_escaped(out, text).map_err(Error::from)
}

#[cfg(test)]
mod tests;

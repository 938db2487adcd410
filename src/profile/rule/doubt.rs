//! What a phone reads in a rule without complaint, and hardly anybody means.

use std::collections::BTreeSet;

use super::{Alternative, Assignment, Condition, Rule, Scheme};
use crate::profile::expansion::Expansion;
use crate::profile::mask;
use crate::profile::variable::Variable;

/// What a phone reads without complaint and may not be meant.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Doubt {
    /// Every alternative but the last needs a condition.
    #[error("alternative {0} has no condition: those after it are never reached")]
    Unreachable(usize),
    /// `$STRANGE`.
    #[error("`{0}` is no macro of a phone and stays as it is written")]
    Stranger(String),
    /// `https//host/x`.
    #[error("`{0}` is taken for the server's name: a URL begins with `{0}://`")]
    SchemeForServer(Scheme),
    /// `$SA` elsewhere than in `--key`, `--uid` or `--pwd`.
    #[error("`{0}` is expanded in --key, --uid and --pwd only, and stays as it is written")]
    SpecialOutside(Variable),
}

impl Rule {
    /// What is correct and may not be meant; each doubt once.
    #[must_use]
    pub fn doubts(&self) -> Vec<Doubt> {
        let before_last = self.alternatives.len().saturating_sub(1);
        let unconditional = self.alternatives[..before_last].iter().position(|one| one.condition.is_none());
        let mut doubts: Vec<Doubt> = unconditional.map(|place| Doubt::Unreachable(place + 1)).into_iter().collect();
        let (mut strangers, mut specials) = (BTreeSet::new(), BTreeSet::new());
        for alternative in &self.alternatives {
            for text in alternative.texts() {
                strangers.extend(text.strangers());
                specials.extend(text.variables().filter(|variable| matches!(variable, Variable::Special(_))));
            }
            // A `$` in a password is a part of it: only what can be nothing but a macro is doubted, and shown.
            let arguments = alternative.targets.iter().flat_map(|target| target.options.expansions());
            let macros = arguments.filter(|argument| mask::is_macro(&argument.to_string()));
            strangers.extend(macros.flat_map(Expansion::strangers));
        }
        // Nor is what looks like a macro within an assigned secret, or a password of a URL.
        let shown = mask::masked("", &self.to_string()).into_owned();
        strangers.retain(|name| shown.contains(*name));
        doubts.extend(strangers.into_iter().map(|name| Doubt::Stranger(name.to_owned())));
        doubts.extend(specials.into_iter().map(Doubt::SpecialOutside));
        let targets = self.alternatives.iter().flat_map(|alternative| &alternative.targets);
        doubts.extend(
            targets.filter_map(|target| scheme_for_server(&target.url.to_string())).map(Doubt::SchemeForServer),
        );
        doubts
    }
}

impl Alternative {
    /// The texts with macros in them, arguments of options left out.
    fn texts(&self) -> impl Iterator<Item = &Expansion> {
        let conditions = self.condition.iter().flat_map(Condition::expansions);
        let values = self.assignments.iter().map(Assignment::value);
        conditions.chain(values).chain(self.targets.iter().map(|target| &target.url))
    }
}

/// The scheme of a URL whose colon is missing. A server may well be called `tftp`.
fn scheme_for_server(url: &str) -> Option<Scheme> {
    let (server, path) = url.split_once('/')?;
    let scheme = Scheme::parse(server).ok()?;
    (path.starts_with('/') || scheme != Scheme::Tftp).then_some(scheme)
}

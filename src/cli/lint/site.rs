//! What is looked at: a file, or the files of a tree, rendered where they are templates.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;

use super::passed::Passed;
use crate::cli::profile_file::{self, STDIN};
use crate::cli::sample::Sample;
use crate::config::Config;
use crate::profile::flat::MAX_BYTES;
use crate::profile::lint::{self, Context, Finding, Sent};
use crate::profile::name::{Name, Star};
use crate::profile::path::{DEEPEST, RequestPath};
use crate::profile::root::{Kind, Root};
use crate::profile::template::{Templates, Variables};
use crate::profile::tree::Tree;
use crate::provision::{Named, Rules};

/// A folder, and what of it is wanted.
pub(super) struct Site {
    root: Arc<Root>,
    tree: Tree,
    templates: Templates,
    variables: Arc<Variables>,
    /// Of the configuration, where the folder is the one that it serves.
    rules: Option<Rules>,
    /// Below the folder.
    wanted: String,
    /// The folder as the user has written it.
    written: PathBuf,
}

/// A file that was looked at.
pub(super) enum Looked {
    /// It is no profile, and nobody named it.
    Other {
        /// Where it is.
        path: PathBuf,
        /// What it is instead.
        passed: Passed,
    },
    /// A file as it stands.
    Profile {
        /// Where it is.
        path: PathBuf,
        /// What is in it.
        bytes: Vec<u8>,
        /// What was found.
        findings: Vec<Finding>,
    },
    /// A template; places are those of the profile that it gave for the sample phone.
    Template {
        /// Where it is.
        path: PathBuf,
        /// What was found.
        findings: Vec<Finding>,
    },
}

impl Site {
    /// The folder that `path` is in: the one that the configuration serves, else `path` itself, or a file's own folder.
    pub(super) fn around(path: &Path, config: Option<&Config>) -> anyhow::Result<Self> {
        let real = path.canonicalize().with_context(|| path.display().to_string())?;
        let served = config.and_then(|config| Some((config, config.profiles.canonicalize().ok()?)));
        let served = served.filter(|(_, profiles)| real.starts_with(profiles));
        let folder = match &served {
            Some((_, profiles)) => profiles.clone(),
            None if real.is_dir() => real.clone(),
            None => real.parent().unwrap_or(Path::new("/")).to_owned(),
        };
        let wanted = real.strip_prefix(&folder).unwrap_or(Path::new(""));
        let wanted = wanted.to_str().with_context(|| format!("{}: the name is not UTF-8", path.display()))?.to_owned();
        let below = Path::new(&wanted).components().count();
        let written = path.ancestors().nth(below).unwrap_or(&folder).to_owned();
        // `a/../b` and links have other ancestors than their folder has.
        let same = written.join(&wanted).canonicalize().is_ok_and(|there| there == real);
        let root = Arc::new(Root::open(&folder).with_context(|| folder.display().to_string())?);
        Ok(Self {
            tree: Tree::new(root.clone()),
            templates: Templates::new(root.clone()),
            root,
            variables: Arc::new(config.map(|config| config.variables.clone()).unwrap_or_default()),
            rules: served.map(|(config, _)| Rules::new(&config.rules)).transpose()?,
            wanted,
            written: if same { written } else { folder },
        })
    }

    /// The files that are wanted, relative to the folder: one that was named, or all below a folder that are served.
    pub(super) fn files(&self) -> Vec<String> {
        let (mut files, mut folders) = (Vec::new(), vec![self.wanted.clone()]);
        while let Some(folder) = folders.pop() {
            let Ok(Some((entries, _))) = self.root.list(&folder) else {
                files.push(folder);
                continue;
            };
            for entry in entries.iter().filter(|entry| !entry.name.starts_with(['.', '_'])) {
                let path = if folder.is_empty() { entry.name.clone() } else { format!("{folder}/{}", entry.name) };
                let kind = entry.kind.or_else(|| Some(self.root.stamp(&path).ok()??.kind()));
                match kind {
                    // No path reaches deeper, and links may form a circle.
                    Some(Kind::Folder) if path.split('/').count() < DEEPEST => folders.push(path),
                    Some(Kind::File) => files.push(path),
                    Some(Kind::Folder | Kind::Other) | None => {}
                }
            }
        }
        files.sort();
        files
    }

    /// How a file goes out, where the configuration says.
    pub(super) fn sent(&self, file: &str, phone: &Sample) -> Sent {
        let Some(rules) = &self.rules else { return Sent::Unknown };
        let asked = asked(file, phone).and_then(|asked| RequestPath::from_tftp(asked.as_bytes()).ok());
        let Some(asked) = asked else { return Sent::Unknown };
        let found = self.tree.find(&asked).ok().flatten();
        let names_device = found.is_some_and(|found| Named::of(&found) != Named::Nobody);
        rules.treatment(&asked).0.sent(names_device)
    }

    /// Looks at one of the files.
    pub(super) fn look(&self, file: &str, phone: &Sample, context: &Context<'_>) -> anyhow::Result<Looked> {
        let path = self.written.join(file);
        let passed_over = |bytes: &[u8]| if file == self.wanted { None } else { Passed::of(bytes) };
        if file.split('/').any(|segment| !Name::parse(segment, Star::Literal).is_literal()) {
            let rendered = self.templates.render(file, &phone.macros, &self.variables, phone.certificate().as_ref());
            let findings = match rendered {
                Ok(rendered) => match passed_over(rendered.text.as_bytes()) {
                    Some(passed) => return Ok(Looked::Other { path, passed }),
                    None => lint::lint(rendered.text.as_bytes(), context),
                },
                Err(error) => vec![Finding::not_rendered(error.to_string())],
            };
            return Ok(Looked::Template { path, findings });
        }
        let (opened, _) = self.root.open_file(file).with_context(|| path.display().to_string())?;
        let mut bytes = Vec::new();
        opened.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).with_context(|| path.display().to_string())?;
        if let Some(passed) = passed_over(&bytes) {
            return Ok(Looked::Other { path, passed });
        }
        let findings = lint::lint(&bytes, context);
        Ok(Looked::Profile { path, bytes, findings })
    }
}

/// Looks at standard input, which is a profile as it stands.
pub(super) fn standard_input(context: &Context<'_>) -> anyhow::Result<Looked> {
    let bytes = profile_file::read(Path::new(STDIN))?;
    let findings = lint::lint(&bytes, context);
    Ok(Looked::Profile { path: PathBuf::from(STDIN), bytes, findings })
}

/// The path that the sample phone asks for.
fn asked(file: &str, phone: &Sample) -> Option<String> {
    let segments: Option<Vec<String>> =
        file.split('/').map(|segment| Name::parse(segment, Star::Literal).expand(&phone.macros)).collect();
    Some(segments?.join("/"))
}

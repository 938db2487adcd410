//! A preview as people and programs read it.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::tally::{Content, Kind, Phones, Shift, Tally};
use crate::terminal::OneLine;

/// Prints it: what a change comes to, and what changes in files that are everybody's.
pub(super) fn print(tally: &Tally, common: &[(String, Vec<Shift>)], as_json: bool) -> anyhow::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    if as_json {
        crate::cli::json(&mut out, &values(tally, common))?;
    } else {
        text(&mut out, tally, common)?;
    }
    Ok(out.flush()?)
}

fn text(out: &mut impl Write, tally: &Tally, common: &[(String, Vec<Shift>)]) -> io::Result<()> {
    let Tally { phones, changed, new, .. } = tally;
    let what = match (tally.parameters.len(), changed) {
        (_, 0) => "changes nothing".to_owned(),
        (0, changed) => format!(
            "changes which profiles {} {}",
            counted(*changed, "phone"),
            if *changed == 1 { "is given" } else { "are given" }
        ),
        (parameters, _) => {
            format!("changes {} on {}", counted(parameters, "parameter"), counted(*changed, "phone"))
        }
    };
    let new = if *new > 0 { format!(", {new} of them new") } else { String::new() };
    writeln!(out, "{what}; {} looked at{new}; nothing was written", counted(*phones, "phone"))?;
    for kind in sorted(tally) {
        print_kind(out, kind)?;
    }
    if tally.others.count > 0 {
        writeln!(out, "{}: other changes", named(&tally.others))?;
    }
    for (file, shifts) in common {
        writeln!(out, "everybody's {}", OneLine(file))?;
        print_shifts(out, shifts.iter().map(|shift| (shift, true)), shifts.len())?;
    }
    for (what, reasons) in [
        ("would get nothing", &tally.lost),
        ("would get what they are refused now", &tally.gained),
        ("get no profile, before or after", &tally.unserved),
    ] {
        for (reason, phones) in reasons {
            writeln!(out, "{} {what}: {}", named(phones), OneLine(reason))?;
        }
    }
    if tally.alike.count > 0 {
        writeln!(out, "{}: the same parameters, written otherwise", named(&tally.alike))?;
    }
    Ok(())
}

fn print_kind(out: &mut impl Write, kind: &Kind) -> io::Result<()> {
    if kind.is_various {
        writeln!(out, "{}: {}", named(&kind.phones), OneLine(&kind.file))?;
        return print_shifts(out, kind.shifts.iter().map(|(shift, same)| (shift, *same)), kind.parameters);
    }
    let mut sets: Vec<&(Vec<Shift>, Phones)> = kind.sets.values().collect();
    sets.sort_by(|(_, a), (_, b)| b.count.cmp(&a.count).then_with(|| a.named.cmp(&b.named)));
    for (shifts, phones) in sets {
        writeln!(out, "{}: {}", named(phones), OneLine(&kind.file))?;
        print_shifts(out, shifts.iter().map(|shift| (shift, true)), kind.parameters)?;
    }
    Ok(())
}

fn print_shifts<'a>(
    out: &mut impl Write,
    shifts: impl Iterator<Item = (&'a Shift, bool)>,
    all: usize,
) -> io::Result<()> {
    let mut shown = 0;
    for (Shift { parameter, before, after }, same) in shifts {
        shown += 1;
        let side = |side: &Option<Content>| side.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
        let line = match (before, after) {
            (None, None) => format!("{parameter} differs"),
            (Some(before), Some(after)) if before == after => format!("{parameter}: {before} -> another {after}"),
            _ => format!("{parameter}: {} -> {}", side(before), side(after)),
        };
        let various = if same { "" } else { "  (each phone has its own; this is one of them)" };
        writeln!(out, "  {}{various}", OneLine(line))?;
    }
    if all > shown { writeln!(out, "  and {} more", counted(all - shown, "parameter")) } else { Ok(()) }
}

/// The greatest first.
fn sorted(tally: &Tally) -> Vec<&Kind> {
    let mut kinds: Vec<&Kind> = tally.kinds.values().collect();
    kinds.sort_by(|a, b| {
        let names = |kind: &Kind| kind.shifts.iter().map(|(shift, _)| shift.parameter.clone()).collect::<Vec<_>>();
        b.phones.count.cmp(&a.phones.count).then_with(|| a.file.cmp(&b.file)).then_with(|| names(a).cmp(&names(b)))
    });
    kinds
}

/// `412 phones (000e08000001, 000e08000002, …)`.
fn named(phones: &Phones) -> String {
    let more = if phones.count > phones.named.len() { ", …" } else { "" };
    format!("{} ({}{more})", counted(phones.count, "phone"), phones.named.join(", "))
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn values(tally: &Tally, common: &[(String, Vec<Shift>)]) -> Value {
    let reasons = |reasons: &std::collections::BTreeMap<String, Phones>| -> Vec<Value> {
        let each = reasons.iter();
        each.map(|(reason, phones)| json!({ "reason": reason, "phones": phones.count, "examples": phones.named }))
            .collect()
    };
    let mut groups = Vec::new();
    for kind in sorted(tally) {
        let group = |phones: &Phones, shifts: Vec<Value>| json!({ "file": kind.file, "phones": phones.count, "examples": phones.named, "parameters": kind.parameters, "changes": shifts });
        if kind.is_various {
            groups.push(group(&kind.phones, kind.shifts.iter().map(|(shift, same)| value(shift, *same)).collect()));
        } else {
            let sets = kind.sets.values();
            groups.extend(sets.map(|(shifts, phones)| group(phones, shifts.iter().map(|s| value(s, true)).collect())));
        }
    }
    let common: Vec<Value> = common
        .iter()
        .map(|(file, shifts)| json!({ "file": file, "changes": shifts.iter().map(|s| value(s, true)).collect::<Vec<_>>() }))
        .collect();
    json!({
        "phones": tally.phones,
        "changed": tally.changed,
        "new": tally.new,
        "parameters": tally.parameters,
        "groups": groups,
        "others": tally.others.count,
        "common": common,
        "lost": reasons(&tally.lost),
        "gained": reasons(&tally.gained),
        "unserved": reasons(&tally.unserved),
        "alike": tally.alike.count,
    })
}

fn value(Shift { parameter, before, after }: &Shift, same: bool) -> Value {
    let side = |side: &Option<Content>| {
        side.as_ref().map(|Content { value, access }| match access {
            Some(access) => json!({ "value": value, "ua": access }),
            None => json!({ "value": value }),
        })
    };
    json!({ "parameter": parameter, "before": side(before), "after": side(after), "same_on_all": same })
}

//! What a client says that it can undo.

use hyper::header::HeaderValue;

/// Whether `Accept-Encoding` has gzip and does not rule it out (RFC 9110 §12.5.3): what it says of gzip counts before what it says
/// of all. A weight that is none is no leave.
pub(super) fn accepts_gzip<'a>(lines: impl Iterator<Item = &'a HeaderValue>) -> bool {
    let (mut gzip, mut all) = (None, None);
    for coding in lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(',')) {
        let (name, weight) = coding.split_once(';').map_or((coding, "q=1"), |(name, weight)| (name, weight.trim()));
        let weight = weight.strip_prefix(['q', 'Q']).and_then(|weight| weight.trim_start().strip_prefix('='));
        let is_wanted = weight.and_then(|weight| weight.trim().parse::<f32>().ok()).is_some_and(|weight| weight > 0.0);
        match name.trim() {
            "*" => all = Some(is_wanted),
            name if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") => gzip = Some(is_wanted),
            _ => {}
        }
    }
    gzip.or(all).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_accepted_where_it_is_named_and_not_ruled_out() {
        let accepts = |lines: &[&'static str]| {
            accepts_gzip(lines.iter().map(|line| HeaderValue::from_static(line)).collect::<Vec<_>>().iter())
        };
        let yes = [
            "gzip",
            "deflate, gzip",
            "br;q=0.5, GZIP;q=0.2",
            "*",
            "x-gzip",
            "*;q=0, gzip",
            "gzip ; Q=0.5",
            "gzip; q = 1",
        ];
        for codings in yes {
            assert!(accepts(&[codings]), "{codings}");
        }
        let no = [
            "",
            "deflate",
            "gzip;q=0",
            "identity, gzip; q=0.0",
            "gzip;q=0, *",
            "*;q=1, gzip;q=0",
            "gzip;Q=0",
            "gzip;q=x",
            "*;q=0",
        ];
        for codings in no {
            assert!(!accepts(&[codings]), "{codings}");
        }
        assert!(accepts(&["br", "gzip"]) && !accepts(&["*", "gzip;q=0"]) && !accepts(&[]), "a header of several lines");
    }
}

//! `reflect`: the path of the reflector, which is off unless it has one.

use crate::profile::path::RequestPath;

/// Reads the path.
pub(super) fn check(written: Option<&str>) -> Result<Option<RequestPath>, String> {
    let Some(text) = written else { return Ok(None) };
    let relative = text.strip_prefix('/').ok_or_else(|| format!("reflect: `{text}`: expected it to begin with `/`"))?;
    let path = RequestPath::from_tftp(relative.as_bytes());
    path.map(Some).map_err(|error| format!("reflect: `{text}`: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_off_or_a_path() {
        assert_eq!(check(None), Ok(None));
        assert_eq!(
            check(Some("/cgi-bin/reflect.pl")).map(|path| path.expect("a path").to_string()).as_deref(),
            Ok("/cgi-bin/reflect.pl")
        );
        for wrong in ["reflect", "", "/", "/../x", "/_reflect"] {
            assert!(check(Some(wrong)).expect_err("refused").starts_with("reflect: "), "{wrong}");
        }
    }
}

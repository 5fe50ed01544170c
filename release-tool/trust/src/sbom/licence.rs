//! Licences as SPDX expressions.

use super::SbomProblem;
use spdx::Expression;

/// What a package says of its licence, as an expression that every reader understands. Old packages write
/// `MIT/Apache-2.0`, which has always meant a choice. Nothing else is put right: `GPL` alone, say, could be several
/// licences, and a guess would be a statement about somebody's rights. `None` for a package that says nothing.
pub(super) fn canonical(package: &str, licence: Option<&str>) -> Result<Option<String>, SbomProblem> {
    let Some(licence) = licence else {
        return Ok(None);
    };
    let parts: Vec<&str> = licence.split('/').map(str::trim).collect();
    let strict = parts.join(" OR ");
    match Expression::parse(&strict) {
        Ok(_) => Ok(Some(strict)),
        Err(error) => Err(SbomProblem::Licence {
            package: package.to_owned(),
            licence: licence.to_owned(),
            reason: error.reason.to_string(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_forms_become_strict_ones() {
        for (found, strict) in [
            ("MIT OR Apache-2.0", "MIT OR Apache-2.0"),
            ("MIT/Apache-2.0", "MIT OR Apache-2.0"),
            (
                "(MIT OR Apache-2.0) AND Unicode-3.0",
                "(MIT OR Apache-2.0) AND Unicode-3.0",
            ),
            (
                "Apache-2.0 WITH LLVM-exception OR MIT",
                "Apache-2.0 WITH LLVM-exception OR MIT",
            ),
            ("GPL-3.0-or-later", "GPL-3.0-or-later"),
        ] {
            assert_eq!(canonical("x", Some(found)).unwrap().as_deref(), Some(strict));
        }
        assert_eq!(canonical("x", None).unwrap(), None);
    }

    #[test]
    fn what_is_no_licence_is_refused_with_the_package() {
        for bad in ["my own", "MIT OR", "MIT Apache-2.0", "GPL", "apache2", "mit", ""] {
            let error = canonical("left-pad", Some(bad)).unwrap_err().to_string();
            assert!(
                error.contains("left-pad") && error.contains(&format!("`{bad}`")),
                "{error}"
            );
        }
    }
}

//! Conditional compilation, decided as the compiler does it for a user program of one architecture.

use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Lit, Meta, Token};
use vrel_model::Arch;

/// Whether an item with these attributes is compiled.
pub(crate) fn is_compiled(attrs: &[Attribute], arch: Arch) -> bool {
    attrs
        .iter()
        .filter(|attr| attr.path().is_ident("cfg"))
        .all(|attr| attr.parse_args::<Meta>().is_ok_and(|meta| holds(&meta, arch)))
}

/// The attributes that hold: those in `cfg_attr` whose condition holds stand beside the others.
pub(crate) fn effective(attrs: &[Attribute], arch: Arch) -> Vec<Meta> {
    attrs
        .iter()
        .flat_map(|attr| unfold(attr.meta.clone(), arch))
        .collect()
}

fn unfold(meta: Meta, arch: Arch) -> Vec<Meta> {
    if !meta.path().is_ident("cfg_attr") {
        return vec![meta];
    }
    let mut parts = list(&meta).into_iter();
    match parts.next() {
        Some(condition) if holds(&condition, arch) => parts.flat_map(|part| unfold(part, arch)).collect(),
        _ => Vec::new(),
    }
}

fn list(meta: &Meta) -> Vec<Meta> {
    let parser = Punctuated::<Meta, Token![,]>::parse_terminated;
    let parts = meta.require_list().and_then(|list| list.parse_args_with(parser));
    parts.map(|parts| parts.into_iter().collect()).unwrap_or_default()
}

/// A condition that depends on something else than the target does not hold: no feature is on, no test is run.
fn holds(meta: &Meta, arch: Arch) -> bool {
    let path = meta.path();
    match meta {
        Meta::List(_) if path.is_ident("all") => list(meta).iter().all(|part| holds(part, arch)),
        Meta::List(_) if path.is_ident("any") => list(meta).iter().any(|part| holds(part, arch)),
        Meta::List(_) if path.is_ident("not") => !list(meta).iter().all(|part| holds(part, arch)),
        Meta::NameValue(pair) => {
            let value = text(&pair.value).unwrap_or_default();
            let target = [
                ("target_arch", arch.as_str()),
                ("target_os", "none"),
                ("target_pointer_width", "64"),
                ("target_endian", "little"),
                ("panic", "abort"),
            ];
            target
                .iter()
                .any(|(name, target)| path.is_ident(name) && value == *target)
        }
        _ => path.is_ident("true"),
    }
}

/// The text of a string literal.
pub(crate) fn text(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text), ..
        }) => Some(text.value()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_decided_for_the_target() {
        for (condition, compiled) in [
            ("target_arch = \"x86_64\"", true),
            ("target_arch = \"aarch64\"", false),
            ("not(target_arch = \"aarch64\")", true),
            ("all(target_os = \"none\", target_pointer_width = \"64\")", true),
            ("all(target_os = \"none\", test)", false),
            ("any(test, target_endian = \"little\")", true),
            ("any()", false),
            ("all()", true),
            ("not(test)", true),
            ("feature = \"std\"", false),
        ] {
            let item: syn::ItemMod = syn::parse_str(&format!("#[cfg({condition})] mod a;")).unwrap();
            assert_eq!(is_compiled(&item.attrs, Arch::X86_64), compiled, "{condition}");
        }
    }
}

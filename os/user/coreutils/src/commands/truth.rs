//! `true` and `false`.

use crate::spec::{Spec, Style};

pub(crate) static TRUE: Spec = Spec {
    name: "true",
    usage: &["[IGNORED]..."],
    summary: "Does nothing, successfully",
    options: &[],
    style: Style::Raw,
    notes: "",
    status: &[("0", "always")],
    trouble: 1,
    run: |_, _| Ok(0),
};

pub(crate) static FALSE: Spec = Spec {
    name: "false",
    usage: &["[IGNORED]..."],
    summary: "Does nothing, unsuccessfully",
    options: &[],
    style: Style::Raw,
    notes: "",
    status: &[("1", "always")],
    trouble: 1,
    run: |_, _| Ok(1),
};

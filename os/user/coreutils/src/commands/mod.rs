//! The commands, one module each.

mod basename;
mod cat;
mod cp;
mod cut;
mod date;
mod echo;
mod env;
mod escape;
mod free;
mod grep;
mod grep_file;
mod head;
mod kill;
mod ls;
mod mkdir;
mod mv;
mod names;
mod path;
mod printf;
mod ps;
mod pwd;
mod rm;
mod rmdir;
mod seq;
mod sleep;
mod sort;
mod sort_key;
mod tail;
mod tee;
mod test;
mod touch;
mod tr;
mod tr_set;
mod truth;
mod uname;
mod uniq;
mod wc;
mod xargs;
mod yes;

use crate::spec::Spec;

/// All commands, in alphabetical order.
pub static COMMANDS: &[&Spec] = &[
    &test::BRACKET,
    &basename::BASENAME,
    &cat::SPEC,
    &cp::SPEC,
    &cut::SPEC,
    &date::SPEC,
    &basename::DIRNAME,
    &echo::SPEC,
    &env::SPEC,
    &truth::FALSE,
    &free::SPEC,
    &grep::SPEC,
    &head::SPEC,
    &kill::SPEC,
    &ls::SPEC,
    &mkdir::SPEC,
    &mv::SPEC,
    &names::SPEC,
    &printf::SPEC,
    &ps::SPEC,
    &pwd::SPEC,
    &rm::SPEC,
    &rmdir::SPEC,
    &seq::SPEC,
    &sleep::SPEC,
    &sort::SPEC,
    &tail::SPEC,
    &tee::SPEC,
    &test::TEST,
    &touch::SPEC,
    &tr::SPEC,
    &truth::TRUE,
    &uname::SPEC,
    &uniq::SPEC,
    &wc::SPEC,
    &xargs::SPEC,
    &yes::SPEC,
];

//! What a build makes again and what it does not, and what it says when its content or its policies are wrong.

mod incremental;
mod wrong_content;

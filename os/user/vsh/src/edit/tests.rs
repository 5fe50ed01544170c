//! Keys to lines and screens.

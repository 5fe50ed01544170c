//! What an interface consists of.

use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use vrel_model::Arch;

/// A line of a source file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// The file, from the repository's top directory.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
}

impl Place {
    pub(crate) fn new(file: &str, line: usize) -> Self {
        Self {
            file: file.to_owned(),
            line,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Everything that programs rely on in one commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Interface {
    /// The system calls, by number.
    pub calls: Vec<SystemCall>,
    /// The public items of the crates that programs use, by symbol, for each architecture.
    pub items: BTreeMap<Arch, BTreeMap<String, Item>>,
}

/// A row of the table of system calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SystemCall {
    /// Its number.
    pub number: u64,
    /// Name of its stub.
    pub name: String,
    /// Its name in `SystemCall` and `Request`.
    pub variant: String,
    /// Its arguments, in the order of the registers.
    pub arguments: Vec<Argument>,
    /// What it returns.
    pub returns: Returns,
    /// Names of the errors that it can return.
    pub errors: Vec<String>,
    /// Its row.
    pub place: Place,
}

/// An argument of a system call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Argument {
    /// Its name.
    pub name: String,
    /// Its class as the table names it, for example `number` or `bytes`.
    pub kind: String,
}

/// What a system call returns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Returns {
    /// It does not come back.
    Never,
    /// All result registers: a message with its badge, tag and words.
    Message,
    /// A value with this meaning.
    Value(String),
}

impl fmt::Display for SystemCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arguments: Vec<_> = self.arguments.iter().map(ToString::to_string).collect();
        write!(f, "{}({}) -> {}", self.name, arguments.join(", "), self.returns)?;
        if !self.errors.is_empty() {
            write!(f, ", errors {}", self.errors.join(" "))?;
        }
        Ok(())
    }
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.kind)
    }
}

impl fmt::Display for Returns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("never"),
            Self::Message => f.write_str("message"),
            Self::Value(meaning) => write!(f, "“{meaning}”"),
        }
    }
}

/// A public item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Where it is declared.
    pub place: Place,
    /// Whether it is marked as deprecated.
    pub deprecated: bool,
    /// What it is.
    #[serde(flatten)]
    pub kind: ItemKind,
}

/// The kinds of items. Types are written with the public paths of what they name, whatever the source calls it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ItemKind {
    /// A module.
    Module,
    /// Another name of an item.
    ReExport {
        /// The item.
        of: String,
    },
    /// A function, of a module or of a type.
    Function(Function),
    /// A constant.
    Constant {
        /// Its type.
        ty: String,
        /// Its value, where it is a number, a truth value, a character or text.
        value: Option<String>,
    },
    /// A static variable.
    Static {
        /// Its type.
        ty: String,
        /// Whether it is `mut`.
        mutable: bool,
    },
    /// Another name of a type.
    Alias {
        /// Its generic parameters.
        generics: String,
        /// The type.
        of: String,
    },
    /// A structure or union.
    Struct(Struct),
    /// An enumeration.
    Enum(Enum),
    /// A trait.
    Trait(Trait),
    /// That a type has a trait.
    Impl,
    /// A macro with the patterns that it takes.
    Macro {
        /// The patterns, in order.
        patterns: Vec<String>,
    },
}

/// A function's signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Function {
    /// Whether constants can be made with it.
    pub constant: bool,
    /// Whether it must be called in `unsafe`.
    pub unsafety: bool,
    /// `async`, and the calling convention where it is not Rust's.
    pub calling: String,
    /// Its generic parameters and their bounds.
    pub generics: String,
    /// The types of its arguments, with the receiver.
    pub arguments: Vec<String>,
    /// What it returns; empty for nothing.
    pub returns: String,
}

/// The shape of a structure or variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// Without fields.
    Unit,
    /// Fields by position.
    Tuple,
    /// Fields by name.
    Named,
}

/// A public field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Its name or position.
    pub name: String,
    /// Its type.
    pub ty: String,
    /// Where it is declared.
    pub place: Place,
}

/// A structure or union.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Struct {
    /// `struct` or `union`.
    pub keyword: &'static str,
    /// Its generic parameters and their bounds.
    pub generics: String,
    /// Its representation, for example `C`; empty for Rust's own.
    pub repr: String,
    /// Whether it says that it will get more fields.
    pub non_exhaustive: bool,
    /// Its shape.
    pub shape: Shape,
    /// Its public fields.
    pub fields: Vec<Field>,
    /// How many of its fields are private.
    pub private: usize,
    /// The types of all fields in order, where the representation makes that visible.
    pub layout: Option<Vec<String>>,
}

/// An enumeration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Enum {
    /// Its generic parameters and their bounds.
    pub generics: String,
    /// Its representation, for example `u8`; empty for Rust's own.
    pub repr: String,
    /// Whether it says that it will get more variants.
    pub non_exhaustive: bool,
    /// Its variants, in order.
    pub variants: Vec<Variant>,
}

/// A variant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// Its number, where the enumeration has a representation or names numbers.
    pub number: Option<String>,
    /// Its shape.
    pub shape: Shape,
    /// Whether it says that it will get more fields.
    pub non_exhaustive: bool,
    /// Its fields.
    pub fields: Vec<Field>,
    /// Where it is declared.
    pub place: Place,
}

/// A trait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trait {
    /// Its generic parameters and their bounds.
    pub generics: String,
    /// Whether implementing it takes `unsafe`.
    pub unsafety: bool,
    /// What implementors must have besides.
    pub supertraits: Vec<String>,
    /// Its items by name.
    pub items: BTreeMap<String, TraitItem>,
}

/// An item of a trait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TraitItem {
    /// Whether implementors may leave it out.
    pub has_default: bool,
    /// Its declaration, without its name.
    pub declaration: String,
    /// Where it is declared.
    pub place: Place,
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (on, word) in [(self.constant, "const "), (self.unsafety, "unsafe ")] {
            f.write_str(if on { word } else { "" })?;
        }
        if !self.calling.is_empty() {
            write!(f, "{} ", self.calling)?;
        }
        write!(f, "fn{}({})", self.generics, self.arguments.join(", "))?;
        if self.returns.is_empty() {
            Ok(())
        } else {
            write!(f, " -> {}", self.returns)
        }
    }
}

fn attributes(repr: &str, non_exhaustive: bool) -> String {
    let repr = if repr.is_empty() {
        String::new()
    } else {
        format!("#[repr({repr})] ")
    };
    repr + if non_exhaustive { "#[non_exhaustive] " } else { "" }
}

fn braced(shape: Shape, fields: &[Field], private: usize) -> String {
    let mut parts: Vec<String> = fields
        .iter()
        .map(|field| match shape {
            Shape::Named => format!("{}: {}", field.name, field.ty),
            _ => field.ty.clone(),
        })
        .collect();
    if private > 0 {
        parts.push("…".to_owned());
    }
    match shape {
        Shape::Unit => String::new(),
        Shape::Named if parts.is_empty() => " {}".to_owned(),
        Shape::Tuple => format!("({})", parts.join(", ")),
        Shape::Named => format!(" {{ {} }}", parts.join(", ")),
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        f.write_str(&braced(self.shape, &self.fields, 0))?;
        match &self.number {
            Some(number) => write!(f, " = {number}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for ItemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Module => f.write_str("mod"),
            Self::ReExport { of } => write!(f, "use {of}"),
            Self::Function(function) => function.fmt(f),
            Self::Constant { ty, value: None } => write!(f, "const {ty}"),
            Self::Constant {
                ty,
                value: Some(value),
            } => write!(f, "const {ty} = {value}"),
            Self::Static { ty, mutable } => {
                write!(f, "static {}{ty}", if *mutable { "mut " } else { "" })
            }
            Self::Alias { generics, of } => write!(f, "type{generics} = {of}"),
            Self::Struct(item) => {
                let head = attributes(&item.repr, item.non_exhaustive);
                let fields = braced(item.shape, &item.fields, item.private);
                write!(f, "{head}{}{}{fields}", item.keyword, item.generics)
            }
            Self::Enum(item) => {
                let variants: Vec<_> = item.variants.iter().map(ToString::to_string).collect();
                let head = attributes(&item.repr, item.non_exhaustive);
                write!(f, "{head}enum{} {{ {} }}", item.generics, variants.join(", "))
            }
            Self::Trait(item) => {
                let items = item.items.iter();
                let items: Vec<_> = items
                    .map(|(name, item)| format!("{name}: {}", item.declaration))
                    .collect();
                let above = if item.supertraits.is_empty() {
                    String::new()
                } else {
                    format!(": {}", item.supertraits.join(" + "))
                };
                let head = if item.unsafety { "unsafe " } else { "" };
                write!(
                    f,
                    "{head}trait{}{above} {{ {} }}",
                    item.generics,
                    items.join("; ")
                )
            }
            Self::Impl => f.write_str("impl"),
            Self::Macro { patterns } => write!(f, "macro {}", patterns.join(" | ")),
        }
    }
}

//! The rules. docs/VERSIONING.md has the same table.

use serde::{Serialize, Serializer};
use std::fmt;

/// What a difference means for programs that were written for the older interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Impact {
    /// Some stop working or compiling.
    Incompatible,
    /// None does, and new ones can do more.
    Addition,
    /// None notices.
    Neutral,
}

impl fmt::Display for Impact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Incompatible => "incompatible",
            Self::Addition => "addition",
            Self::Neutral => "neutral",
        })
    }
}

macro_rules! rules {
    ($($rule:ident $name:literal $impact:ident $statement:literal;)+) => {
        /// By what a difference is judged.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Rule {
            $(#[doc = concat!($statement, ".")] $rule,)+
        }

        impl Rule {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$rule,)+];

            /// Its name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$rule => $name,)+ }
            }

            /// What the difference means for programs.
            #[must_use]
            pub fn impact(self) -> Impact {
                match self { $(Self::$rule => Impact::$impact,)+ }
            }

            /// What it is about.
            #[must_use]
            pub fn statement(self) -> &'static str {
                match self { $(Self::$rule => $statement,)+ }
            }
        }
    };
}

rules! {
    CallRemoved "call-removed" Incompatible "the system call is gone";
    CallAdded "call-added" Addition "the system call is new";
    CallRenumbered "call-renumbered" Incompatible "the system call has another number";
    CallRenamed "call-renamed" Incompatible "the system call has another name";
    CallArguments "call-arguments" Incompatible "the system call takes other arguments";
    CallArgumentsSwapped "call-arguments-swapped" Incompatible "the system call takes its arguments in another order";
    CallArgumentRenamed "call-argument-renamed" Neutral "an argument of the system call is called otherwise";
    CallReturns "call-returns" Incompatible "the system call returns where it did not, or no longer returns";
    CallReturnsReworded "call-returns-reworded" Neutral "what the system call returns is described otherwise";
    CallErrorRemoved "call-error-removed" Incompatible "the system call no longer returns an error";
    CallErrorAdded "call-error-added" Addition "the system call returns one more error";
    ItemRemoved "item-removed" Incompatible "the public item is gone";
    ItemAdded "item-added" Addition "the public item is new";
    ItemKind "item-kind" Incompatible "the public item is of another kind";
    ItemDeprecated "item-deprecated" Addition "the public item is deprecated";
    ReExport "re-export" Incompatible "the name stands for another item";
    FunctionSignature "function-signature" Incompatible "the function takes or returns other types";
    FunctionGenerics "function-generics" Incompatible "the function has other generic parameters or bounds";
    FunctionUnsafe "function-unsafe" Incompatible "the function must be called in `unsafe`";
    FunctionSafe "function-safe" Addition "the function need not be called in `unsafe` any more";
    FunctionNotConst "function-not-const" Incompatible "constants cannot be made with the function any more";
    FunctionConst "function-const" Addition "constants can be made with the function";
    ConstantType "constant-type" Incompatible "the constant or static has another type";
    ConstantValue "constant-value" Incompatible "the constant has another value";
    AliasChanged "alias-changed" Incompatible "the name stands for another type";
    TypeGenerics "type-generics" Incompatible "the type has other generic parameters or bounds";
    ReprChanged "repr-changed" Incompatible "the type has another representation in memory";
    ReprAdded "repr-added" Addition "the type has a stated representation in memory";
    LayoutChanged "layout-changed" Incompatible "the fields lie otherwise in memory";
    NonExhaustive "non-exhaustive" Incompatible "programs may no longer list all fields or variants";
    Exhaustive "exhaustive" Addition "programs may list all fields or variants";
    FieldRemoved "field-removed" Incompatible "a public field is gone";
    FieldAdded "field-added" Addition "a public field is new";
    FieldAddedExhaustive "field-added-exhaustive" Incompatible "a field is new in a type whose values programs can make by listing all fields";
    FieldType "field-type" Incompatible "a public field has another type";
    ShapeChanged "shape-changed" Incompatible "the fields have names where they had positions, or the reverse";
    VariantRemoved "variant-removed" Incompatible "the variant is gone";
    VariantAdded "variant-added" Addition "the variant is new";
    VariantAddedExhaustive "variant-added-exhaustive" Incompatible "the variant is new in an enumeration of which programs can list all variants";
    VariantNumber "variant-number" Incompatible "the variant has another number";
    TraitItemRemoved "trait-item-removed" Incompatible "an item of the trait is gone";
    TraitItemAdded "trait-item-added" Addition "an item of the trait is new, with a default";
    TraitItemRequired "trait-item-required" Incompatible "implementors of the trait must have an item that they need not have had";
    TraitItemChanged "trait-item-changed" Incompatible "an item of the trait is declared otherwise";
    TraitItemDefault "trait-item-default" Addition "an item of the trait has a default";
    TraitBounds "trait-bounds" Incompatible "the trait asks more of implementors, or promises less to users";
    ImplRemoved "impl-removed" Incompatible "the type does not have the trait any more";
    ImplAdded "impl-added" Addition "the type has one more trait";
    MacroPattern "macro-pattern" Incompatible "the macro does not take what it took";
    MacroPatternAdded "macro-pattern-added" Addition "the macro takes more than it took";
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

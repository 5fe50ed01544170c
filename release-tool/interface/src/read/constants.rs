//! Values of constants: arithmetic on literals and on other constants.

use super::names::Entity;
use super::tree::{Defined, Tree};
use syn::{BinOp, Expr, Item, Lit, UnOp};

/// How many constants may lead to one another.
const DEPTH: usize = 32;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Number(i128),
    Truth(bool),
    Text(String),
}

/// The value of an expression as text; `None` when it is not computed here.
pub(super) fn value(tree: &Tree<'_, '_>, module: usize, expr: &Expr) -> Option<String> {
    Some(match evaluate(tree, module, expr, 0)? {
        Value::Number(number) if number > 0xfff => format!("{number} (0x{number:x})"),
        Value::Number(number) => number.to_string(),
        Value::Truth(truth) => truth.to_string(),
        Value::Text(text) => text,
    })
}

/// The value of a number.
pub(super) fn number(tree: &Tree<'_, '_>, module: usize, expr: &Expr) -> Option<i128> {
    match evaluate(tree, module, expr, 0)? {
        Value::Number(number) => Some(number),
        _ => None,
    }
}

fn evaluate(tree: &Tree<'_, '_>, module: usize, expr: &Expr, depth: usize) -> Option<Value> {
    if depth > DEPTH {
        return None;
    }
    let inner = |expr: &Expr| evaluate(tree, module, expr, depth + 1);
    match expr {
        Expr::Lit(literal) => of_literal(&literal.lit),
        Expr::Paren(paren) => inner(&paren.expr),
        Expr::Group(group) => inner(&group.expr),
        Expr::Reference(reference) => inner(&reference.expr),
        Expr::Cast(cast) => match inner(&cast.expr)? {
            Value::Number(number) => {
                let (low, high) = range(&quote::ToTokens::to_token_stream(&cast.ty).to_string())?;
                (low <= number && number <= high).then_some(Value::Number(number))
            }
            _ => None,
        },
        Expr::Unary(unary) => match (&unary.op, inner(&unary.expr)?) {
            (UnOp::Neg(_), Value::Number(number)) => Some(Value::Number(number.checked_neg()?)),
            (UnOp::Not(_), Value::Truth(truth)) => Some(Value::Truth(!truth)),
            _ => None,
        },
        Expr::Binary(binary) => match (inner(&binary.left)?, inner(&binary.right)?) {
            (Value::Number(left), Value::Number(right)) => apply(&binary.op, left, right).map(Value::Number),
            _ => None,
        },
        Expr::Path(path) if path.qself.is_none() => {
            let path: Vec<String> = path
                .path
                .segments
                .iter()
                .map(|segment| segment.ident.to_string())
                .collect();
            if let [ty, limit] = &path[..]
                && let Some((low, high)) = range(ty)
            {
                return match limit.as_str() {
                    "MIN" => Some(Value::Number(low)),
                    "MAX" => Some(Value::Number(high)),
                    _ => None,
                };
            }
            tree.resolve(module, &path, 0).into_iter().find_map(|entity| {
                let Entity::Definition(at) = entity else {
                    return None;
                };
                let definition = &tree.definitions[at];
                match &definition.item {
                    Defined::Item(item) => match &**item {
                        Item::Const(constant) => evaluate(tree, definition.module, &constant.expr, depth + 1),
                        _ => None,
                    },
                    Defined::Macro(_) => None,
                }
            })
        }
        _ => None,
    }
}

fn of_literal(literal: &Lit) -> Option<Value> {
    Some(match literal {
        Lit::Int(number) => Value::Number(number.base10_parse().ok()?),
        Lit::Byte(byte) => Value::Number(byte.value().into()),
        Lit::Bool(truth) => Value::Truth(truth.value),
        Lit::Char(character) => Value::Text(format!("{:?}", character.value())),
        Lit::Str(text) => Value::Text(format!("{:?}", text.value())),
        Lit::ByteStr(bytes) => Value::Text(format!("b\"{}\"", bytes.value().escape_ascii())),
        Lit::CStr(text) => Value::Text(format!("{:?}", text.value())),
        _ => return None,
    })
}

fn apply(operator: &BinOp, left: i128, right: i128) -> Option<i128> {
    let shift = || u32::try_from(right).ok().filter(|bits| *bits < 64);
    match operator {
        BinOp::Add(_) => left.checked_add(right),
        BinOp::Sub(_) => left.checked_sub(right),
        BinOp::Mul(_) => left.checked_mul(right),
        BinOp::Div(_) => left.checked_div(right),
        BinOp::Rem(_) => left.checked_rem(right),
        BinOp::BitAnd(_) => Some(left & right),
        BinOp::BitOr(_) => Some(left | right),
        BinOp::BitXor(_) => Some(left ^ right),
        BinOp::Shl(_) => left.checked_mul(1i128.checked_shl(shift()?)?),
        BinOp::Shr(_) => left.checked_shr(shift()?),
        _ => None,
    }
}

/// The least and greatest number of a type.
fn range(ty: &str) -> Option<(i128, i128)> {
    Some(match ty {
        "u8" => (0, u8::MAX.into()),
        "u16" => (0, u16::MAX.into()),
        "u32" => (0, u32::MAX.into()),
        "u64" | "usize" => (0, u64::MAX.into()),
        "i8" => (i8::MIN.into(), i8::MAX.into()),
        "i16" => (i16::MIN.into(), i16::MAX.into()),
        "i32" => (i32::MIN.into(), i32::MAX.into()),
        "i64" | "isize" => (i64::MIN.into(), i64::MAX.into()),
        _ => return None,
    })
}

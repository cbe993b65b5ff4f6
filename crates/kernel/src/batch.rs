//! Statements and values: SQL as data, so that projections stay pure and portable.

use crate::{Money, Timestamp};

/// A value bound to a statement or read from a row. Booleans are stored as integers, JSON and ids
/// as text, times as microseconds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// BIGINT.
    Int(i64),
    /// TEXT; must hold no NUL character.
    Text(String),
    /// BYTEA / BLOB.
    Bytes(Vec<u8>),
}

/// One SQL statement: constant text with `$1…$n`, and its values. The text must be portable
/// (SQLite and PostgreSQL) and constant, so that it is prepared once.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// The text.
    pub sql: &'static str,
    /// `$1` is `args[0]`.
    pub args: Vec<Value>,
}

impl Statement {
    /// `sql` with `args`.
    pub fn new(sql: &'static str, args: impl IntoIterator<Item = Value>) -> Self {
        Self {
            sql,
            args: args.into_iter().collect(),
        }
    }
}

/// `sql!("… $1 … $2", a, b)`: a [`Statement`] whose arguments convert into [`Value`]s.
#[macro_export]
macro_rules! sql {
    ($text:expr $(, $arg:expr)* $(,)?) => {
        $crate::Statement { sql: $text, args: vec![$($crate::Value::from($arg)),*] }
    };
}

macro_rules! into_value {
    ($($type:ty => |$v:ident| $make:expr),+ $(,)?) => {
        $(impl From<$type> for Value { fn from($v: $type) -> Self { $make } })+
    };
}

into_value! {
    i64 => |v| Value::Int(v),
    i32 => |v| Value::Int(i64::from(v)),
    u32 => |v| Value::Int(i64::from(v)),
    u16 => |v| Value::Int(i64::from(v)),
    bool => |v| Value::Int(i64::from(v)),
    usize => |v| Value::Int(v as i64),
    String => |v| Value::Text(v),
    &str => |v| Value::Text(v.to_owned()),
    &String => |v| Value::Text(v.clone()),
    std::sync::Arc<str> => |v| Value::Text(v.as_ref().to_owned()),
    &std::sync::Arc<str> => |v| Value::Text(v.as_ref().to_owned()),
    Vec<u8> => |v| Value::Bytes(v),
    Timestamp => |v| Value::Int(v.0),
    crate::Currency => |v| Value::Text(v.code().to_owned()),
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

/// A row of a result.
#[derive(Clone, Debug, PartialEq)]
pub struct Row(pub Vec<Value>);

/// All rows of a result.
pub type Rows = Vec<Row>;

impl Row {
    /// Column `index` (from 0). A column that is missing or of another type gives the type's
    /// default, since the statement and the reader stand side by side and are tested together.
    pub fn get<T: FromValue>(&self, index: usize) -> T {
        self.0
            .get(index)
            .map_or_else(|| T::from_value(&Value::Null), T::from_value)
    }

    /// Two columns as money.
    pub fn money(&self, amount: usize, currency: usize) -> Option<Money> {
        let currency = self.get::<String>(currency).parse().ok()?;
        Some(Money::new(self.get(amount), currency))
    }
}

/// Types a column can be read as.
pub trait FromValue {
    /// Reads `value`.
    fn from_value(value: &Value) -> Self;
}

impl FromValue for i64 {
    fn from_value(value: &Value) -> Self {
        match value {
            Value::Int(v) => *v,
            _ => 0,
        }
    }
}

impl FromValue for bool {
    fn from_value(value: &Value) -> Self {
        i64::from_value(value) != 0
    }
}

impl FromValue for Timestamp {
    fn from_value(value: &Value) -> Self {
        Timestamp(i64::from_value(value))
    }
}

impl FromValue for String {
    fn from_value(value: &Value) -> Self {
        match value {
            Value::Text(v) => v.clone(),
            _ => String::new(),
        }
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: &Value) -> Self {
        match value {
            Value::Bytes(v) => v.clone(),
            _ => Vec::new(),
        }
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: &Value) -> Self {
        match value {
            Value::Null => None,
            other => Some(T::from_value(other)),
        }
    }
}

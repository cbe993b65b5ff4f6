//! Values to and from PostgreSQL's binary form, as the server's types ask for.

use std::error::Error;

use bytes::{BufMut as _, BytesMut};
use kernel::{Row, Value};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::StoreError;

/// A value bound to a statement. Never shows itself in logs: it may be somebody's name.
pub(super) enum Arg<'a> {
    Value(&'a Value),
    Int(i64),
    Text(&'a str),
    Ints(Vec<i64>),
    Texts(Vec<&'a str>),
    Owned(Vec<String>),
}

impl std::fmt::Debug for Arg<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

impl Arg<'_> {
    /// Whether a parameter of this type takes the value.
    pub fn fits(&self, ty: &Type) -> bool {
        match self {
            Self::Value(Value::Null) => true,
            Self::Value(Value::Int(_)) | Self::Int(_) => is_number(ty),
            Self::Value(Value::Text(_)) | Self::Text(_) => is_text(ty),
            Self::Value(Value::Bytes(_)) => *ty == Type::BYTEA,
            Self::Ints(_) => *ty == Type::INT8_ARRAY,
            Self::Texts(_) | Self::Owned(_) => *ty == Type::TEXT_ARRAY,
        }
    }

    /// The type this value has by itself: asked for where the server cannot tell.
    pub fn natural(&self) -> Type {
        match self {
            Self::Value(Value::Null) => Type::UNKNOWN,
            Self::Value(Value::Int(_)) | Self::Int(_) => Type::INT8,
            Self::Value(Value::Text(_)) | Self::Text(_) => Type::TEXT,
            Self::Value(Value::Bytes(_)) => Type::BYTEA,
            Self::Ints(_) => Type::INT8_ARRAY,
            Self::Texts(_) | Self::Owned(_) => Type::TEXT_ARRAY,
        }
    }

    /// Refuses what cannot be sent, before anything is: a transaction of which one statement
    /// cannot be sent must not begin.
    pub fn check(&self, ty: &Type) -> Result<(), StoreError> {
        let nul = |text: &str| text.as_bytes().contains(&0);
        let holds_nul = match self {
            Self::Value(Value::Text(text)) => nul(text),
            Self::Text(text) => nul(text),
            Self::Texts(texts) => texts.iter().any(|text| nul(text)),
            Self::Owned(texts) => texts.iter().any(|text| nul(text)),
            _ => false,
        };
        if holds_nul {
            let text = "text must not hold a NUL character";
            return Err(StoreError::Data(text.into()));
        }
        if !self.fits(ty) {
            let text = format!("a value is not of the type {ty} that the statement asks for");
            return Err(StoreError::Data(text));
        }
        if let Self::Value(Value::Int(v)) | Self::Int(v) = self
            && !in_range(*v, ty)
        {
            return Err(StoreError::Data(format!(
                "a number is too large for {ty}: columns are BIGINT"
            )));
        }
        Ok(())
    }

    /// About how many bytes it takes.
    pub fn size(&self) -> usize {
        match self {
            Self::Value(Value::Text(text)) => text.len(),
            Self::Value(Value::Bytes(bytes)) => bytes.len(),
            Self::Text(text) => text.len(),
            Self::Texts(texts) => texts.iter().map(|text| text.len() + 4).sum(),
            Self::Owned(texts) => texts.iter().map(|text| text.len() + 4).sum(),
            Self::Ints(numbers) => numbers.len() * 12,
            _ => 8,
        }
    }
}

fn is_number(ty: &Type) -> bool {
    [
        Type::INT8,
        Type::INT4,
        Type::INT2,
        Type::BOOL,
        Type::NUMERIC,
        Type::FLOAT8,
    ]
    .contains(ty)
}

fn is_text(ty: &Type) -> bool {
    [Type::TEXT, Type::VARCHAR, Type::BPCHAR, Type::NAME].contains(ty)
}

fn in_range(v: i64, ty: &Type) -> bool {
    match *ty {
        Type::INT4 => i32::try_from(v).is_ok(),
        Type::INT2 => i16::try_from(v).is_ok(),
        _ => true,
    }
}

type Encoded = Result<IsNull, Box<dyn Error + Sync + Send>>;

impl ToSql for Arg<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Encoded {
        match self {
            Self::Value(Value::Null) => Ok(IsNull::Yes),
            Self::Value(Value::Int(v)) | Self::Int(v) => number(*v, ty, out),
            Self::Value(Value::Text(v)) => v.as_str().to_sql(ty, out),
            Self::Value(Value::Bytes(v)) => v.as_slice().to_sql(ty, out),
            Self::Text(v) => v.to_sql(ty, out),
            Self::Ints(v) => v.to_sql(ty, out),
            Self::Texts(v) => v.to_sql(ty, out),
            Self::Owned(v) => v.to_sql(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true // checked before
    }

    to_sql_checked!();
}

fn number(v: i64, ty: &Type, out: &mut BytesMut) -> Encoded {
    match *ty {
        Type::INT8 => out.put_i64(v),
        Type::INT4 => out.put_i32(i32::try_from(v)?),
        Type::INT2 => out.put_i16(i16::try_from(v)?),
        Type::BOOL => out.put_u8(u8::from(v != 0)),
        Type::NUMERIC => numeric(v, out),
        Type::FLOAT8 => out.put_f64(v as f64), // where the statement asks for one
        _ => return Err(format!("{ty} takes no number").into()),
    }
    Ok(IsNull::No)
}

/// NUMERIC's binary form: digits to the base 10,000, the highest first.
fn numeric(v: i64, out: &mut BytesMut) {
    let mut digits = Vec::new();
    let mut rest = v.unsigned_abs();
    while rest > 0 {
        digits.push((rest % 10_000) as i16);
        rest /= 10_000;
    }
    out.put_i16(digits.len() as i16);
    out.put_i16(digits.len() as i16 - 1);
    out.put_u16(if v < 0 { 0x4000 } else { 0 });
    out.put_i16(0);
    for digit in digits.iter().rev() {
        out.put_i16(*digit);
    }
}

/// A column, whatever its type.
struct Column(Value);

impl<'a> FromSql<'a> for Column {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(match *ty {
            Type::INT8 => Value::Int(i64::from_sql(ty, raw)?),
            Type::INT4 => Value::Int(i32::from_sql(ty, raw)?.into()),
            Type::INT2 => Value::Int(i16::from_sql(ty, raw)?.into()),
            Type::BOOL => Value::Int(bool::from_sql(ty, raw)?.into()),
            Type::BYTEA => Value::Bytes(raw.to_vec()),
            Type::NUMERIC => Value::Int(whole(raw).ok_or("a NUMERIC that is no BIGINT")?),
            // Portable statements answer no floating point; SQLite's adapter rounds one as well.
            Type::FLOAT8 => Value::Int(f64::from_sql(ty, raw)? as i64),
            ref ty if is_text(ty) || *ty == Type::UNKNOWN => {
                Value::Text(std::str::from_utf8(raw)?.to_owned())
            }
            // What a function without a result answers.
            Type::VOID => Value::Null,
            ref ty => return Err(format!("a column of type {ty}: cast it").into()),
        }))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(Value::Null))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// The whole part of a NUMERIC (a sum of BIGINTs is one), if it is a BIGINT.
fn whole(raw: &[u8]) -> Option<i64> {
    let word = |n: usize| {
        let bytes = raw.get(n * 2..n * 2 + 2)?;
        Some(i16::from_be_bytes([bytes[0], bytes[1]]))
    };
    let (count, weight, sign) = (word(0)?, word(1)?, word(2)? as u16);
    if sign != 0 && sign != 0x4000 {
        return None; // not a number, infinity
    }
    let mut sum: i128 = 0;
    for place in 0..=weight {
        let digit = if place < count {
            word(4 + place as usize)?
        } else {
            0
        };
        sum = sum.checked_mul(10_000)?.checked_add(digit.into())?;
    }
    i64::try_from(if sign == 0 { sum } else { -sum }).ok()
}

/// A row as the kernel knows it.
pub(super) fn row(found: &tokio_postgres::Row) -> Result<Row, StoreError> {
    let values = (0..found.len()).map(|n| {
        let column = found.try_get::<_, Column>(n).map(|column| column.0);
        column.map_err(|e| {
            let why = e.into_source().map_or_else(String::new, |e| e.to_string());
            StoreError::Data(format!("column {n} cannot be read: {why}"))
        })
    });
    Ok(Row(values.collect::<Result<_, _>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numerics_are_read_as_they_were_written() {
        for v in [
            0,
            1,
            -1,
            9_999,
            10_000,
            -10_001,
            1_000_000_000_000,
            i64::MAX,
            i64::MIN,
        ] {
            let mut out = BytesMut::new();
            numeric(v, &mut out);
            assert_eq!(whole(&out), Some(v));
        }
        let mut beyond = BytesMut::new();
        for word in [1i16, 5, 0, 0, 1] {
            beyond.put_i16(word); // 10,000 to the fifth
        }
        assert_eq!(whole(&beyond), None);
        assert_eq!(whole(&[0, 1]), None);
    }

    #[test]
    fn a_value_that_does_not_fit_is_refused_before_it_is_sent() {
        let large = Value::Int(1 << 40);
        assert!(Arg::Value(&large).check(&Type::INT4).is_err());
        assert!(Arg::Value(&large).check(&Type::INT8).is_ok());
        assert!(Arg::Value(&large).check(&Type::TEXT).is_err());
        assert!(Arg::Text("a\0b").check(&Type::TEXT).is_err());
        assert!(Arg::Text("1").check(&Type::INT8).is_err());
        assert_eq!(format!("{:?}", Arg::Text("Ann")), "…");
    }
}

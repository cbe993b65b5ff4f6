//! A shop in memory: the real deciders, projections and routes over an SQLite database that forgets.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, atomic::AtomicI64},
};

use axum::{
    Router,
    body::Body,
    http::{Method, Request, StatusCode},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http_body_util::BodyExt;
use kernel::{
    Answer, AnyCommand, App, AppError, BoxFuture, Clock, Engine, ErasedState, IdempotencyKey, Ids,
    KeyRing, Module, Reaction, Recorded, Row, Rows, Statement, States, Stored, StreamId,
    Submission, TimerOp, Timestamp, UnitOfWork, Value, partition_of,
    testing::{CountingIds, FixedClock, plain_keys},
};
use ring::signature::{Ed25519KeyPair, KeyPair};
use rusqlite::types::{Value as Sql, ValueRef};
use serde_json::json;
use tower::ServiceExt;
use web::Verifier;

type Streams = HashMap<StreamId, (Box<dyn ErasedState>, i64)>;

struct Inner {
    module: Module,
    streams: Streams,
    database: rusqlite::Connection,
    answers: HashMap<String, (String, Stored)>,
    timers: HashMap<String, kernel::Timer>,
    position: i64,
}

/// The engine behind [`App`].
pub struct Memory {
    inner: Mutex<Inner>,
    clock: FixedClock,
    ids: CountingIds,
    keys: Arc<dyn KeyRing>,
}

struct Loaded<'a>(&'a Module, &'a Streams);

impl States for Loaded<'_> {
    fn find(&self, stream: &StreamId) -> Option<(&dyn ErasedState, i64)> {
        self.1
            .get(stream)
            .map(|(state, version)| (state.as_ref(), *version))
    }

    fn initial(&self, category: &str) -> Option<Box<dyn ErasedState>> {
        let spec = self
            .0
            .deciders
            .iter()
            .find(|spec| spec.category == category)?;
        Some((spec.initial)())
    }
}

impl Inner {
    fn run(
        &mut self,
        command: &dyn AnyCommand,
        now: Timestamp,
    ) -> Result<Box<dyn std::any::Any + Send + Sync>, AppError> {
        let mut wanted = command.streams();
        loop {
            for stream in wanted.drain(..) {
                let initial = Loaded(&self.module, &self.streams).initial(stream.category());
                let initial = initial.unwrap_or_else(|| panic!("no decider for {stream}"));
                self.streams.entry(stream).or_insert((initial, 0));
            }
            let loaded = Loaded(&self.module, &self.streams);
            let mut unit = UnitOfWork::new(&loaded, now);
            let result = command.handle_any(&mut unit);
            let mut work = unit.finish();
            if !work.missing.is_empty() {
                wanted = std::mem::take(&mut work.missing);
                continue;
            }
            let output = result?;
            for event in &work.events {
                self.position += 1;
                let typed = OnceLock::new();
                let _ = typed.set(event.typed.clone());
                self.project(&Recorded {
                    topic: "inventory".into(),
                    position: self.position,
                    prev: 0,
                    partition: partition_of(event.stream.as_str()),
                    stream: event.stream.clone(),
                    version: event.version,
                    kind: event.kind.into(),
                    data: event.data.as_str().into(),
                    at: now,
                    meta: Default::default(),
                    typed,
                });
            }
            self.streams.extend(work.changed);
            for operation in work.timers {
                match operation {
                    TimerOp::Set(timer) => self.timers.insert(timer.key.clone(), timer),
                    TimerOp::Cancel(key) => self.timers.remove(&key),
                };
            }
            return Ok(output);
        }
    }

    fn project(&self, recorded: &Recorded) {
        let mut statements = Vec::new();
        for projection in &self.module.projections {
            (projection.apply)(recorded, &mut statements).unwrap();
        }
        statements.iter().for_each(|statement| {
            self.rows(statement);
        });
    }

    fn rows(&self, statement: &Statement) -> Rows {
        let mut prepared = self
            .database
            .prepare_cached(statement.sql)
            .unwrap_or_else(|e| panic!("{e}: {}", statement.sql));
        for (index, value) in statement.args.iter().enumerate() {
            // SQLite numbers `$n` by first appearance, so values are bound by name.
            let name = format!("${}", index + 1);
            let at = prepared.parameter_index(&name).unwrap().unwrap();
            prepared.raw_bind_parameter(at, sql(value)).unwrap();
        }
        let columns = prepared.column_count();
        let mut found = prepared.raw_query();
        let mut rows = Rows::new();
        while let Some(row) = found
            .next()
            .unwrap_or_else(|e| panic!("{e}: {}", statement.sql))
        {
            rows.push(Row((0..columns)
                .map(|c| value(row.get_ref(c).unwrap()))
                .collect()));
        }
        rows
    }
}

fn sql(value: &Value) -> Sql {
    match value {
        Value::Null => Sql::Null,
        Value::Int(v) => Sql::Integer(*v),
        Value::Text(v) => Sql::Text(v.clone()),
        Value::Bytes(v) => Sql::Blob(v.clone()),
    }
}

fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(v) => Value::Int(v),
        ValueRef::Text(v) => Value::Text(String::from_utf8(v.to_vec()).unwrap()),
        ValueRef::Blob(v) => Value::Bytes(v.to_vec()),
        ValueRef::Real(v) => panic!("a float in the store: {v}"),
    }
}

impl Engine for Memory {
    fn submit(&self, submission: Submission) -> BoxFuture<'_, Result<Answer, AppError>> {
        let mut inner = self.inner.lock().unwrap();
        let answer = submit(&mut inner, &submission, self.clock.now());
        Box::pin(std::future::ready(answer))
    }

    fn query(&self, statements: Vec<Statement>) -> BoxFuture<'_, Result<Vec<Rows>, AppError>> {
        let inner = self.inner.lock().unwrap();
        let rows = statements.iter().map(|s| inner.rows(s)).collect();
        Box::pin(std::future::ready(Ok(rows)))
    }

    fn clock(&self) -> &dyn Clock {
        &self.clock
    }

    fn ids(&self) -> &dyn Ids {
        &self.ids
    }

    fn keys(&self) -> &Arc<dyn KeyRing> {
        &self.keys
    }
}

fn submit(inner: &mut Inner, submission: &Submission, now: Timestamp) -> Result<Answer, AppError> {
    let Some((key, render)) = &submission.once else {
        return inner
            .run(submission.command.as_ref(), now)
            .map(Answer::Done);
    };
    let IdempotencyKey { scope, body } = key;
    if let Some((known, stored)) = inner.answers.get(scope) {
        assert_eq!(known, body, "tests do not reuse keys for other bodies");
        return Ok(Answer::Stored(stored.clone()));
    }
    let output = inner.run(submission.command.as_ref(), now)?;
    let stored = render(output.as_ref());
    inner
        .answers
        .insert(scope.clone(), (body.clone(), stored.clone()));
    Ok(Answer::Stored(stored))
}

/// The service behind its routes.
pub struct Shop {
    engine: Arc<Memory>,
    router: Router,
    key: Ed25519KeyPair,
}

impl Shop {
    pub fn open() -> Self {
        let module = crate::service().module;
        let database = rusqlite::Connection::open_in_memory().unwrap();
        for projection in &module.projections {
            let schema = projection.schema.replace("BIGINT", "INTEGER");
            let strict = schema.replace("\n        )", ") STRICT");
            database
                .execute_batch(&strict)
                .unwrap_or_else(|e| panic!("{e}: {strict}"));
        }
        let engine = Arc::new(Memory {
            inner: Mutex::new(Inner {
                module,
                streams: HashMap::new(),
                database,
                answers: HashMap::new(),
                timers: HashMap::new(),
                position: 0,
            }),
            clock: FixedClock(AtomicI64::new(1_700_000_000_000_000)),
            ids: CountingIds::default(),
            keys: plain_keys(),
        });
        let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let verifier = Verifier::default();
        verifier.add_key("k", key.public_key().as_ref().to_vec());
        let router = crate::service()
            .routes
            .into_router(App::new(engine.clone()), Arc::new(verifier));
        Self {
            engine,
            router,
            key,
        }
    }

    /// What a subscription or timer makes happen.
    pub fn react(&self, reaction: Reaction) {
        let mut inner = self.engine.inner.lock().unwrap();
        for command in reaction.commands {
            inner
                .run(command.as_ref(), self.engine.clock.now())
                .unwrap();
        }
    }

    /// Fires every timer.
    pub fn let_time_pass(&self) {
        let mut inner = self.engine.inner.lock().unwrap();
        let due: Vec<_> = inner.timers.drain().map(|(_, timer)| timer).collect();
        for timer in due {
            let handler = inner
                .module
                .timers
                .iter()
                .find(|h| h.kind == timer.kind)
                .unwrap();
            let command = (handler.handle)(&timer).unwrap();
            inner
                .run(command.as_ref(), self.engine.clock.now())
                .unwrap();
        }
    }

    /// The plan of a query, as the store describes it.
    pub fn explain(&self, statement: &'static str) -> String {
        let inner = self.engine.inner.lock().unwrap();
        let mut prepared = inner
            .database
            .prepare(&format!("EXPLAIN QUERY PLAN {statement}"))
            .unwrap();
        let mut rows = prepared.raw_query();
        let mut plan = String::new();
        while let Some(row) = rows.next().unwrap() {
            plan += &row.get::<_, String>(3).unwrap();
            plan.push('\n');
        }
        plan
    }

    /// A call with a body, by staff who may do everything here.
    pub async fn staff(
        &self,
        method: Method,
        path: &str,
        body: serde_json::Value,
    ) -> (StatusCode, serde_json::Value) {
        self.call(
            method,
            path,
            Some(body),
            Some("inventory:read inventory:write"),
            None,
        )
        .await
    }

    /// `GET` by staff.
    pub async fn get(&self, path: &str) -> serde_json::Value {
        let (status, body) = self
            .call(Method::GET, path, None, Some("inventory:read"), None)
            .await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    /// Any call.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<serde_json::Value>,
        permissions: Option<&str>,
        key: Option<&str>,
    ) -> (StatusCode, serde_json::Value) {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(permissions) = permissions {
            request = request.header(
                "authorization",
                format!("Bearer {}", self.token(permissions)),
            );
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let answer = self
            .router
            .clone()
            .oneshot(request.body(body).unwrap())
            .await
            .unwrap();
        let status = answer.status();
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        let body = match bytes.is_empty() {
            true => serde_json::Value::Null,
            false => serde_json::from_slice(&bytes).unwrap(),
        };
        (status, body)
    }

    fn token(&self, permissions: &str) -> String {
        let encode = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let permissions: Vec<&str> = permissions.split(' ').collect();
        let header = encode(json!({"alg": "EdDSA", "kid": "k"}));
        let claims = encode(json!({
            "iss": "souk", "sub": "usr_1", "iat": 0, "exp": 4_000_000_000i64, "jti": "1", "permissions": permissions,
        }));
        let signed = format!("{header}.{claims}");
        let signature = URL_SAFE_NO_PAD.encode(self.key.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }
}

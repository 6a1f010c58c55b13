//! What every engine promises.

use futures_util::future::join_all;
use tessera_server::store::{Error, Statement, Store, Value};

const INSERT: &str = "INSERT INTO meta (name, value) VALUES ($1, $2)";

fn insert(name: &str) -> Statement {
    Statement::new(INSERT, vec![name.into(), b"v".into()])
}

async fn names(store: &Store) -> i64 {
    let rows = store.engine().read(Statement::new("SELECT COUNT(*) FROM meta", vec![])).await;
    rows.unwrap()[0].int(0).unwrap()
}

pub(crate) async fn a_failing_request_harms_no_neighbour(store: &Store) {
    let engine = store.engine();
    engine.write(insert("taken")).await.unwrap();
    // Keeps the writer busy, so that all the others wait in one batch behind it.
    let slow = Statement::new(
        "INSERT INTO meta (name, value) WITH RECURSIVE n (i) AS
            (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
            SELECT 'slow ' || CAST(i AS TEXT), value FROM n, meta WHERE name = $1",
        vec!["taken".into()],
    );
    let first = async { vec![engine.write(slow).await.map(|_| ())] };
    let rest = join_all((0..60).map(|index| {
        let engine = store.engine();
        async move {
            match index % 3 {
                0 => engine.write(insert(&format!("good {index}"))).await.map(|_| ()),
                1 => engine.write(insert("taken")).await.map(|_| ()),
                _ => {
                    let half = vec![insert(&format!("half {index}")), insert("taken")];
                    engine.write_all(half).await.map(|_| ())
                }
            }
        }
    }));
    let (first, rest) = tokio::join!(first, rest);
    assert!(first.iter().all(Result::is_ok), "{first:?}");
    for (index, outcome) in rest.iter().enumerate() {
        match index % 3 {
            0 => assert!(outcome.is_ok(), "{outcome:?}"),
            _ => assert!(matches!(outcome, Err(Error::Constraint(_))), "{outcome:?}"),
        }
    }
    assert_eq!(names(store).await, 1 + 20_000 + 20);
}

pub(crate) async fn write_all_is_all_or_nothing(store: &Store) {
    let engine = store.engine();
    let written = engine.write_all(vec![insert("a"), insert("b")]).await.unwrap();
    assert_eq!(written.iter().map(|one| one.affected).collect::<Vec<_>>(), [1, 1]);
    let refused = engine.write_all(vec![insert("c"), insert("d"), insert("a")]).await;
    assert!(matches!(refused, Err(Error::Constraint(_))), "{refused:?}");
    let broken = Statement::new("INSERT INTO no_such_table VALUES ($1)", vec![1.into()]);
    let broken = engine.write_all(vec![insert("e"), broken]).await;
    assert!(matches!(broken, Err(Error::Database(_))), "{broken:?}");
    assert_eq!(names(store).await, 2);
    // The connection is fit for use after both.
    engine.write(insert("c")).await.unwrap();
    assert!(engine.write_all(vec![]).await.unwrap().is_empty());
}

pub(crate) async fn write_reports_rows_and_counts(store: &Store) {
    let engine = store.engine();
    for name in ["a", "b", "c"] {
        assert_eq!(engine.write(insert(name)).await.unwrap().affected, 1);
    }
    let update = Statement::new("UPDATE meta SET value = $1 WHERE name > $2", vec![b"w".into(), "a".into()]);
    let written = engine.write(update).await.unwrap();
    assert_eq!((written.affected, written.rows.len()), (2, 0));
    let delete = Statement::new("DELETE FROM meta WHERE name > $1 RETURNING name", vec!["a".into()]);
    let mut written = engine.write(delete.clone()).await.unwrap();
    assert_eq!(written.affected, 2);
    let mut gone: Vec<_> = written.rows.iter_mut().map(|row| row.text(0).unwrap()).collect();
    gone.sort();
    assert_eq!(gone, ["b", "c"]);
    let again = engine.write(delete).await.unwrap();
    assert_eq!((again.affected, again.rows.len()), (0, 0));
}

pub(crate) async fn parameters_may_come_in_any_order(store: &Store) {
    let engine = store.engine();
    let sql = "INSERT INTO meta (value, name) VALUES ($2, $1) ON CONFLICT (name) DO UPDATE SET value = $2
        WHERE meta.name = $1";
    for value in [b"one", b"two"] {
        engine.write(Statement::new(sql, vec!["name".into(), value.into()])).await.unwrap();
    }
    assert_eq!(store.meta.get("name").await.unwrap().unwrap(), b"two");
}

pub(crate) async fn a_wrong_number_of_parameters_is_an_error(store: &Store) {
    let engine = store.engine();
    for params in [vec![], vec!["a".into()], vec!["a".into(), b"v".into(), 1.into()]] {
        let refused = engine.write(Statement::new(INSERT, params)).await;
        assert!(matches!(refused, Err(Error::Shape(_))), "{refused:?}");
    }
    assert_eq!(names(store).await, 0);
}

pub(crate) async fn values_of_every_kind_come_back(store: &Store) {
    let engine = store.engine();
    let sql = "SELECT CAST($1 AS BIGINT), CAST($2 AS TEXT), CAST($4 AS BIGINT), CAST($3 AS BIGINT)";
    let params = vec![i64::MIN.into(), "päö\u{1f600} \" ' ; --".into(), i64::MAX.into(), Value::Null];
    let mut rows = engine.read(Statement::new(sql, params)).await.unwrap();
    assert_eq!(rows[0].int(0).unwrap(), i64::MIN);
    assert_eq!(rows[0].text(1).unwrap(), "päö\u{1f600} \" ' ; --");
    assert_eq!(rows[0].opt_int(2).unwrap(), None);
    assert!(matches!(rows[0].text(3), Err(Error::Shape(_))));
    assert!(matches!(rows[0].int(9), Err(Error::Shape(_))));

    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    store.meta.put("bytes", &bytes).await.unwrap();
    assert_eq!(store.meta.get("bytes").await.unwrap().unwrap(), bytes);
    store.meta.put("bytes", b"").await.unwrap();
    assert_eq!(store.meta.get("bytes").await.unwrap().unwrap(), b"");
}

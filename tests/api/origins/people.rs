//! Visibility of account fields: the e-mail address is for its owner and admins, in every dialect. Lists of people
//! are paged.

use super::*;

const EMAIL: &str = "ann@example.org";

/// Returns the paths of all routes that show accounts, of every dialect.
fn paths(ann: &Persona) -> Vec<String> {
    vec![
        "users".to_owned(),
        format!("users/{}", ann.id),
        "rooms/1/members".to_owned(),
        "rooms/1/messages".to_owned(),
        "search?q=hello".to_owned(),
        "/api/users".to_owned(),
        format!("/api/users/{}", ann.id),
        "/api/messages".to_owned(),
        "/api/user_list?room_id=1".to_owned(),
        "/api/users/online".to_owned(),
        "/chat/admins".to_owned(),
        "/chat/users".to_owned(),
        "/v1/users".to_owned(),
        "/v1/messages".to_owned(),
        "/people".to_owned(),
    ]
}

#[tokio::test]
async fn an_e_mail_address_is_shown_to_its_owner_and_admins_only() {
    let server = TestServer::start_with(open_everything).await;
    let root = server.admin("root").await;
    let (ann, bob, gus) = (
        server.user("ann").await,
        server.user("bob").await,
        server.guest("gus").await,
    );
    ann.patch("me", json!({ "email": EMAIL })).await.ok(200);
    ann.say(1, "hello").await;
    let nobody = server.anybody();
    for path in paths(&ann) {
        for (name, eyes) in [("bob", &*bob), ("gus", &*gus), ("nobody", &nobody)] {
            let reply = eyes.get(&path).await;
            let text = String::from_utf8_lossy(&reply.body).into_owned();
            assert!(!text.contains(EMAIL), "{name}: {reply}");
        }
    }
    let by_realtime = format!("/api/users/{}", ann.id);
    for eyes in [&*ann, &*root] {
        let shown = eyes.get(&by_realtime).await.ok(200);
        assert_eq!(shown["user"]["email"], EMAIL);
    }
    assert_eq!(ann.get("me").await.ok(200)["email"], EMAIL);
    assert_eq!(ann.get("/chat/info").await.ok(200)["email"], EMAIL);
    assert_eq!(ann.get("/v1/user-info").await.ok(200)["email"], EMAIL);
    let known = root.get(&format!("users/{}", ann.id)).await.ok(200);
    assert_eq!(known["email"], EMAIL);
    // Changing an account without a token does not reveal its e-mail address.
    let changed = nobody
        .call("PUT", &by_realtime, Some(json!({"username": "anna"})))
        .await;
    assert_eq!(changed.ok(200)["user"]["email"], Value::Null);
}

#[tokio::test]
async fn a_guest_sees_their_own_e_mail_address() {
    let server = TestServer::start().await;
    let body = json!({ "username": "gus", "email": "gus@example.org" });
    let grant = server.anybody().post("auth/guest", body).await.ok(201);
    let gus = Persona::new(server.address, &grant);
    for (path, key) in [
        ("me", "email"),
        ("/chat/info", "email"),
        ("/v1/user-info", "email"),
    ] {
        assert_eq!(
            gus.get(path).await.ok(200)[key],
            "gus@example.org",
            "{path}"
        );
    }
}

#[tokio::test]
async fn lists_of_people_are_paged_with_limit_and_after() {
    let server = TestServer::start().await;
    let root = server.admin("root").await;
    for name in ["ann", "bob", "cat"] {
        server.user(name).await;
    }
    let ids = |list: &Value, key: &str| -> Vec<i64> {
        let list = list.as_array().unwrap().iter();
        list.map(|one| one[key].as_i64().unwrap()).collect()
    };
    for (path, inside, key) in [
        ("/api/users", "users", "id"),
        ("/v1/users", "", "id"),
        ("/chat/users", "", "id"),
    ] {
        let read = async |query: String| {
            let list = root.get(&format!("{path}{query}")).await.ok(200);
            let list = if inside.is_empty() {
                list
            } else {
                list[inside].clone()
            };
            ids(&list, key)
        };
        let all = read(String::new()).await;
        let first = read("?limit=2".to_owned()).await;
        assert_eq!(first, all[..2], "{path}");
        let rest = read(format!("?after={}", first[1])).await;
        assert_eq!(rest, all[2..], "{path}");
        let reply = root.get(&format!("{path}?limit=100000")).await;
        assert_eq!(reply.status, 400, "{reply}");
    }
    let members = root.get("/api/user_list?room_id=1&limit=2").await.ok(200);
    assert_eq!(members.as_array().unwrap().len(), 2);
}

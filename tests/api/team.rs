//! The team protocol without its pages: token routes, conversations, the raw WebSocket.

use serde_json::{Value, json};

use super::support::*;

mod sockets;

async fn uuid(person: &Persona) -> String {
    person.get("me").await.ok(200)["uuid"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn room_uuid(person: &Persona, room: i64) -> String {
    person.get(&format!("rooms/{room}")).await.ok(200)["uuid"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Asserts exactly these keys. (The shapes of `support` are those of the native protocol.)
fn assert_exactly(object: &Value, keys: &str) {
    let found: Vec<_> = object
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let mut wanted: Vec<_> = keys.split(' ').collect();
    wanted.sort_unstable();
    assert_eq!(found, wanted);
}

/// Asserts the format `YYYY-MM-DD HH:MM:SS`.
fn assert_plain_time(value: &Value) {
    let text = value.as_str().unwrap();
    assert!(text.len() == 19 && text.as_bytes()[10] == b' ', "{text}");
}

#[tokio::test]
async fn tokens_are_granted_refreshed_and_checked() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let own = uuid(&ann).await;
    for prefix in ["/auth", ""] {
        let token = format!("{prefix}/token");
        let said = |reply: Reply, text: &str| assert_eq!(reply.ok(401), json!({"msg": text}));
        said(server.anybody().get(&token).await, "Email is required.");
        said(
            server
                .anybody()
                .post(&token, json!({"password": "x"}))
                .await,
            "Email is required.",
        );
        said(
            server.anybody().post(&token, json!({"email": "ann"})).await,
            "Password is required.",
        );
        let wrong = server
            .anybody()
            .post(&token, json!({"username": "ann", "password": "wrong"}))
            .await;
        assert_eq!(wrong.ok(401)["msg"], "Invalid credentials");
        let options = server.anybody().call("OPTIONS", &token, None).await;
        assert_eq!(options.header("allow"), "GET, HEAD, OPTIONS, POST");
        assert_eq!((options.status.as_u16(), options.body.len()), (200, 0));
        let grant = server
            .anybody()
            .post(&token, json!({"email": "ann", "password": PASSWORD}))
            .await
            .ok(200);
        assert_exactly(&grant, "access_token refresh_token");
        let client = |key: &str| server.anybody().token(grant[key].as_str().unwrap());
        for _ in 0..2 {
            let refreshed = client("refresh_token")
                .post(&format!("{prefix}/refresh"), json!({}))
                .await
                .ok(200);
            assert_exactly(&refreshed, "access_token");
        }
        let checked = client("access_token")
            .get(&format!("{prefix}/check"))
            .await
            .ok(200);
        assert_eq!(
            checked,
            json!({"authenticated": true, "message": "User is authenticated", "user": own})
        );
        let refused = client("refresh_token")
            .get(&format!("{prefix}/check"))
            .await
            .ok(401);
        assert_exactly(&refused, "authenticated message msg");
        assert_eq!(
            (&refused["authenticated"], &refused["message"]),
            (&json!(false), &json!("Authentication failed"))
        );
        let missing = server
            .anybody()
            .get(&format!("{prefix}/check"))
            .await
            .ok(401);
        assert_eq!(missing["msg"], "Missing Authorization Header");
    }
}

#[tokio::test]
async fn conversations_and_messages_are_listed_by_uuid() {
    let server = TestServer::start().await;
    let root = server.admin("root").await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let (ann_uuid, kitchen) = (uuid(&ann).await, ann.private_room("Kitchen").await);
    ann.direct_room(&bob).await;
    ann.say(kitchen, "hi").await;
    let number = kitchen;
    let kitchen = room_uuid(&ann, kitchen).await;
    for prefix in ["/api", ""] {
        let path = format!("{prefix}/user/{ann_uuid}/conversations");
        let list = ann.get(&path).await.ok(200)["conversations"].clone();
        assert_eq!(
            each(list.as_array().unwrap(), "name"),
            ["Lobby", "Kitchen", "bob"]
        );
        let keys = "conversation_id created_at description id joined_at name owner_id role updated_at user_id";
        assert_exactly(&list[1], keys);
        assert_eq!(
            (&list[1]["id"], &list[1]["owner_id"], &list[1]["role"]),
            (&json!(kitchen), &json!(ann_uuid), &json!("owner"))
        );
        assert_plain_time(&list[1]["joined_at"]);
        assert_eq!(
            root.get(&path).await.ok(200)["conversations"]
                .as_array()
                .unwrap()
                .len(),
            2
        );
        bob.get(&path).await.ok(403);

        let one = ann
            .get(&format!("{prefix}/conversation/{kitchen}"))
            .await
            .ok(200)["messages"]
            .clone();
        assert_exactly(&one, "created_at description id name owner_id updated_at");
        for object in [&list[1], &one] {
            assert_eq!(object["description"], Value::Null, "there is none");
        }
        let messages = ann
            .get(&format!("{prefix}/conversation/{kitchen}/messages"))
            .await
            .ok(200)["messages"]
            .clone();
        assert_exactly(
            &messages[0],
            "content conversation_id id sender_id sent_from_client sent_from_server",
        );
        assert_eq!(
            (&messages[0]["content"], &messages[0]["sender_id"]),
            (&json!("hi"), &json!(ann_uuid))
        );
        assert_plain_time(&messages[0]["sent_from_client"]);
        for unknown in [kitchen.as_str(), "7", "0", "-1", "no-uuid", "%FF"] {
            for below in ["", "/messages"] {
                let path = format!("{prefix}/conversation/{unknown}{below}");
                let reply = bob.get(&path).await;
                reply.refused_below_api(404, "Conversation not found");
            }
        }
        for unknown in ["7", "no-uuid", "00000000-0000-4000-8000-000000000000"] {
            let path = format!("{prefix}/user/{unknown}/conversations");
            let reply = root.get(&path).await;
            reply.refused_below_api(404, "User not found");
        }
        root.get(&format!("{prefix}/conversation/{kitchen}"))
            .await
            .ok(200);
        root.get(&format!("{prefix}/conversation/{kitchen}/messages"))
            .await
            .ok(404);
    }
    let described = json!({"description": "Where we cook"});
    let path = format!("rooms/{number}");
    ann.patch(&path, described).await.ok(200);
    let one = ann.get(&format!("/conversation/{kitchen}")).await.ok(200);
    assert_eq!(one["messages"]["description"], "Where we cook");
    let later = ann.say(number, "later").await["id"].clone();
    let page = async |query: &str| {
        let path = format!("/conversation/{kitchen}/messages?{query}");
        ann.get(&path).await.ok(200)["messages"].clone()
    };
    let newest = page("limit=1").await;
    assert_eq!(each(newest.as_array().unwrap(), "content"), ["later"]);
    let before = page(&format!("before={later}")).await;
    assert_eq!(each(before.as_array().unwrap(), "content"), ["hi"]);
}

#[tokio::test]
async fn token_errors_are_reported_under_all_error_keys() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let own = uuid(&ann).await;
    let gone = server.log_in("ann").await;
    gone.post("auth/logout", json!({})).await.done();
    let anybody = server.anybody();
    let faults = [
        (anybody.clone(), 401, "Missing Authorization Header"),
        (
            anybody.clone().with("authorization", "Basic YTpi"),
            401,
            "Missing Authorization Header",
        ),
        (
            anybody.clone().token("rubbish"),
            422,
            "Signature verification failed",
        ),
        (
            anybody.clone().token(&ann.refresh_token),
            422,
            "Only access tokens are allowed",
        ),
        ((*gone).clone(), 401, "Token has been revoked"),
    ];
    for prefix in ["/api", ""] {
        for path in [
            format!("{prefix}/user/{own}/conversations"),
            format!("{prefix}/conversation/{own}"),
            format!("{prefix}/conversation/{own}/messages"),
        ] {
            for (client, status, text) in &faults {
                let told = client.get(&path).await;
                told.refused_below_api(*status, text);
            }
            let wrong = ann.post(&path, json!({})).await;
            assert_eq!(wrong.header("allow"), "GET, HEAD, OPTIONS");
            wrong.ok(405)["message"].as_str().unwrap();
        }
    }
    let (_late, tired) = TestServer::with_expired_token().await;
    let text = "Token has expired";
    let told = tired.get(&format!("/api/conversation/{own}")).await;
    told.refused_below_api(401, text);
    assert_eq!(
        tired.get("/auth/check").await.ok(401),
        json!({"authenticated": false, "message": "Authentication failed", "msg": text})
    );
    for path in ["/auth/refresh", "/refresh"] {
        for (token, status) in [(&ann.token, 422), (&gone.refresh_token, 401)] {
            let refused = anybody.clone().token(token).post(path, json!({})).await;
            refused.ok(status)["msg"].as_str().unwrap();
        }
        let missing = anybody.post(path, json!({})).await.ok(401);
        assert_eq!(missing["msg"], "Missing Authorization Header");
    }
}

//! Other accounts over HTTP: search, and changes by admins.

use serde_json::json;

use super::support::*;

#[tokio::test]
async fn people_are_found_by_part_of_their_name() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let body = json!({ "username": "bob", "password": PASSWORD, "display_name": "Müller 100%" });
    server.anybody().post("auth/register", body).await.ok(201);
    server.guest("joanna").await;
    let find = async |query: &str| {
        let found = ann.get(&format!("users?q={query}")).await.items();
        found.iter().for_each(|person| assert_keys(person, PERSON));
        each(&found, "username").join(" ")
    };
    assert_eq!(find("").await, "ann bob joanna");
    assert_eq!(find("ANN").await, "ann joanna");
    assert_eq!(find("m%C3%BCll").await, "bob");
    assert_eq!(find("%25").await, "bob");
    assert_eq!(find("_").await, "");
    assert_eq!(find("nobody").await, "");
}

#[tokio::test]
async fn people_are_paged_by_id() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    for number in 1..=6 {
        server.guest(&format!("guest {number}")).await;
    }
    let mut names = Vec::new();
    let mut after = 0;
    loop {
        let page = ann
            .get(&format!("users?after={after}&limit=3"))
            .await
            .ok(200);
        let items = page["items"].as_array().unwrap();
        names.extend(
            each(items, "username")
                .iter()
                .map(|name| (*name).to_owned()),
        );
        after = id(items.last().unwrap());
        assert_eq!(page["more"], names.len() < 7);
        if page["more"] == false {
            break;
        }
    }
    assert_eq!(
        names.join(","),
        "ann,guest 1,guest 2,guest 3,guest 4,guest 5,guest 6"
    );
}

#[tokio::test]
async fn only_admins_see_account_details_of_others() {
    let server = TestServer::start().await;
    let root = server.admin("root").await;
    let (ann, gus) = (server.user("ann").await, server.guest("gus").await);
    let path = format!("users/{}", ann.id);
    for somebody in [&ann, &gus] {
        assert_keys(&somebody.get(&path).await.ok(200), PERSON);
    }
    assert_keys(&root.get(&path).await.ok(200), ME);
    root.get("users/999").await.refused(404, "not_found");
}

#[tokio::test]
async fn only_admins_change_and_delete_accounts_of_others() {
    let server = TestServer::start().await;
    let root = server.admin("root").await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let path = format!("users/{}", bob.id);
    ann.patch(&path, json!({ "display_name": "x" }))
        .await
        .refused(403, "forbidden");
    ann.delete(&path).await.refused(403, "forbidden");
    bob.patch(&path, json!({ "role": "admin" }))
        .await
        .refused(403, "forbidden");

    let body =
        json!({ "username": "bobby", "display_name": "Bobby", "email": "b@x.de", "role": "user" });
    let user = root.patch(&path, body).await.ok(200);
    assert_keys(&user, ME);
    assert_eq!(
        (&user["username"], &user["email"]),
        (&json!("bobby"), &json!("b@x.de"))
    );
    root.patch(&path, json!({ "role": "god" }))
        .await
        .invalid("role");
    root.patch(&path, json!({ "username": "ann" }))
        .await
        .taken("username");
    root.delete(&path).await.done();
    root.delete(&path).await.refused(404, "not_found");
    root.patch(&path, json!({})).await.refused(404, "not_found");
    bob.get("me").await.refused(401, "session_ended");
}

#[tokio::test]
async fn a_new_display_name_is_sent_to_rooms_and_shown_on_old_messages() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let mut watching = bob.watch(1).await;
    ann.say(1, "first").await;
    ann.patch("me", json!({ "display_name": "Anna" }))
        .await
        .ok(200);
    let changed = watching.event("member_changed").await;
    assert_keys(&changed, "event room member");
    assert_keys(&changed["member"], MEMBER);
    assert_eq!(changed["member"]["person"]["display_name"], "Anna");
    ann.say(1, "second").await;
    for said in bob.history(1).await {
        assert_eq!(said["sender"]["display_name"], "Anna");
    }
}

#[tokio::test]
async fn deleting_an_owner_passes_the_room_to_its_oldest_moderator_or_member() {
    let server = TestServer::start().await;
    let (ann, bob, cem) = (
        server.user("ann").await,
        server.user("bob").await,
        server.user("cem").await,
    );
    let (ruled, plain, lonely) = (
        ann.public_room("ruled").await,
        ann.private_room("plain").await,
        ann.private_room("lonely").await,
    );
    for room in [ruled, plain] {
        ann.add(room, &bob, "member").await;
        ann.add(
            room,
            &cem,
            if room == ruled { "moderator" } else { "member" },
        )
        .await;
    }
    let mut watching = bob.watch(plain).await;
    ann.call("DELETE", "me", Some(json!({ "password": PASSWORD })))
        .await
        .done();
    assert_eq!(
        bob.get(&format!("rooms/{ruled}")).await.ok(200)["owner_id"],
        cem.id
    );
    assert_eq!(
        bob.get(&format!("rooms/{plain}")).await.ok(200)["owner_id"],
        bob.id
    );
    assert_eq!(bob.overview(plain).await.unwrap()["role"], "owner");
    // Members are notified of both rooms, but only subscribers of who left.
    for heir in [&cem, &bob] {
        let changed = watching.event("room_changed").await;
        assert_eq!(changed["room"]["owner_id"], heir.id);
    }
    assert_eq!(watching.event("left").await["reason"], "ended");
    let root = server.admin("root").await;
    root.get(&format!("rooms/{lonely}"))
        .await
        .refused(404, "not_found");
}

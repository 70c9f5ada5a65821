//! Requests that `compat.open` allows without a token, and requests that need one even then.

use parlor::config::OpenDialects;

use super::*;

async fn open_server() -> TestServer {
    TestServer::start_with(|config| {
        config.compat.open = OpenDialects::Only(["realtime".to_owned()].into());
    })
    .await
}

#[tokio::test]
async fn anonymous_callers_change_and_delete_accounts_except_admins() {
    let server = open_server().await;
    let root = server.admin("root").await;
    let (ann, bob) = (guy(&server, "ann").await, guy(&server, "bob").await);
    let (anns, roots) = (
        format!("/api/users/{}", ann.id),
        format!("/api/users/{}", root.id),
    );
    let anybody = server.anybody();
    let put = async |who: &Client, path: &str, name: &str| {
        who.call("PUT", path, Some(json!({"username": name}))).await
    };
    for (who, name, email) in [
        (&anybody, "anna", Value::Null),
        (&bob.http, "anne", Value::Null),
    ] {
        let changed = put(who, &anns, name).await.ok(200);
        assert_eq!(
            json!([changed["user"]["username"], changed["user"]["email"]]),
            json!([name, email])
        );
    }
    for who in [&anybody, &bob.http] {
        refused(&put(who, &roots, "boss").await, 403, "you may not do that");
        refused(&who.delete(&roots).await, 403, "you may not do that");
        refused(
            &put(who, "/api/users/999", "x").await,
            404,
            "User not found",
        );
    }
    refused(
        &anybody.token("rubbish").delete(&anns).await,
        422,
        "Signature verification failed",
    );
    server.anybody().delete(&anns).await.ok(200);
    put(&root, &roots, "boss").await.ok(200);
}

#[tokio::test]
async fn anonymous_callers_list_files_of_the_public_chat_only() {
    let server = open_server().await;
    let (ann, bob) = (guy(&server, "ann").await, guy(&server, "bob").await);
    let private = ann.write(&bob, "psst").await;
    let public = id(&ann.say("look").await);
    let body = json!({"filename": "a.pdf", "file_url": PICTURE, "file_size": 9, "public_message_id": public});
    let file = ann.http.post("/api/files/", body).await.ok(201);
    let list = async |who: &Client, path: &str| who.get(&format!("/api/files/{path}")).await;
    let found = list(&server.anybody(), &format!("public/{public}"))
        .await
        .ok(200);
    assert_eq!(found, json!({"files": [file]}));
    let hidden = list(&server.anybody(), &format!("public/{}", private["id"])).await;
    refused(&hidden, 404, "Message not found");
    let chat = format!("private/{}", private["chat_id"]);
    refused(
        &list(&server.anybody(), &chat).await,
        401,
        "Missing Authorization Header",
    );
    let eve = guy(&server, "eve").await;
    refused(&list(&eve.http, &chat).await, 404, "Chat not found");
}

#[tokio::test]
async fn sockets_need_a_token_even_when_open() {
    let server = open_server().await;
    assert!(
        EventSocket::try_open(server.address, json!({}))
            .await
            .is_err()
    );
}

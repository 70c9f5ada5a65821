//! Sample data: a household with realistic rooms and messages.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};

use crate::support::{Form, Persona, TestServer, id};

/// A server with sample data where Ann is the admin, and paths and ids that windows need.
pub struct Household {
    pub server: TestServer,
    /// Room with the most messages.
    pub kitchen: String,
    /// Private room owned by Ann.
    pub garden: String,
    /// Public room that Ann is not a member of.
    pub market: String,
    /// Direct room of Ann and Bob.
    pub direct: String,
    /// Links for visitors.
    pub invite: String,
    pub password_link: String,
    pub bob: String,
}

impl Household {
    pub async fn new() -> Self {
        let server = TestServer::start().await;
        let ann = server.admin("ann").await;
        let people = move_in(&server, &ann).await;
        let rooms = Rooms::found(&ann, &people).await;
        talk_elsewhere(&ann, &people, &rooms).await;
        talk_in_the_lobby(&ann, &people).await;
        talk_in_the_kitchen(&ann, &people, rooms.kitchen).await;
        let path = format!("users/{}/password-link", people[4].id);
        let password_link = text(&ann.post(&path, json!({})).await.ok(201)["url"]);
        let invite = json!({ "room_id": rooms.garden, "max_uses": 5 });
        let invite = text(&ann.post("invites", invite).await.ok(201)["url"]);
        let bob = ann.get(&format!("users/{}", people[0].id)).await.ok(200);
        spread_over_days(&server);
        let server = server.restart().await;
        let ann = ann.at(server.address);
        Self {
            kitchen: address(&ann, rooms.kitchen).await,
            garden: address(&ann, rooms.garden).await,
            market: address(&ann, rooms.market).await,
            direct: address(&ann, rooms.direct).await,
            bob: text(&bob["uuid"]),
            server,
            invite,
            password_link,
        }
    }
}

struct Rooms {
    kitchen: i64,
    garden: i64,
    trip: i64,
    market: i64,
    direct: i64,
}

impl Rooms {
    async fn found(ann: &Persona, people: &[Persona]) -> Self {
        let [bob, cleo, dora, ..] = people else {
            unreachable!("five people live here")
        };
        let new_room =
            async |who: &Persona, body: Value| id(&who.post("rooms", body).await.ok(201));
        let kitchen = json!({ "name": "Kitchen", "description": "Who cooks, who shops, who has eaten the last yoghurt" });
        let kitchen = new_room(bob, kitchen).await;
        let garden = json!({ "name": "Garden", "kind": "private", "access_key": "gnome-42", "description": "What grows, and who waters it" });
        let garden = new_room(ann, garden).await;
        let trip = json!({ "name": "Summer trip to the lakes – ideas, maps and who pays what" });
        let trip = new_room(cleo, trip).await;
        let market =
            json!({ "name": "Flea market", "description": "Things looking for a new home" });
        let market = new_room(dora, market).await;
        for person in people.iter().chain([ann]) {
            for room in [kitchen, trip] {
                // The owner is already a member, which is refused.
                let path = format!("rooms/{room}/join");
                person.post(&path, json!({})).await;
            }
        }
        ann.add(garden, bob, "moderator").await;
        ann.add(garden, cleo, "member").await;
        ann.add(garden, dora, "member").await;
        let direct = ann.direct_room(bob).await;
        Self {
            kitchen,
            garden,
            trip,
            market,
            direct,
        }
    }
}

/// Registers everybody but Ann; one with a profile picture, one with a long name.
async fn move_in(server: &TestServer, ann: &Persona) -> Vec<Persona> {
    let mut people = Vec::new();
    let names = [
        ("bob", "Bob"),
        ("cleo", "Cleo Marin"),
        ("dora", "Dora"),
        ("emil", "Emil Østergård-Lindqvist"),
        ("farid", "Farid"),
    ];
    for (name, shown) in names {
        let person = server.user(name).await;
        let shown = json!({ "display_name": shown, "email": format!("{name}@example.org") });
        person.patch("me", shown).await.ok(200);
        people.push(person);
    }
    let shown = json!({ "display_name": "Ann Berg" });
    ann.patch("me", shown).await.ok(200);
    let picture = Form::new().file("me.jpg", "image/jpeg", landscape(256, 256));
    people[1].form("PUT", "me/avatar", &picture).await.ok(200);
    server.guest("Grandma").await;
    people
}

async fn talk_in_the_lobby(ann: &Persona, people: &[Persona]) {
    let [bob, cleo, _, emil, farid] = people else {
        unreachable!("five people live here")
    };
    ann.say(
        1,
        "Welcome to our own chat! It runs on the little box next to the router.",
    )
    .await;
    farid.say(1, "finally no adverts 🎉").await;
    cleo.say(1, "Can I use it from work?").await;
    ann.say(1, "Only at home for now. See https://example.org/parlor for how it could be reached from outside.").await;
    bob.say(1, "Dinner is at *seven*, everybody").await;
    emil.say(1, "I will be late, keep some for me").await;
}

/// Posts messages of every kind.
async fn talk_in_the_kitchen(ann: &Persona, people: &[Persona], room: i64) {
    let [bob, cleo, dora, emil, farid] = people else {
        unreachable!("five people live here")
    };
    bob.say(
        room,
        "Shopping list, please **add** to it:\n- eggs\n- oat milk\n- 2 kg of flour\n- coffee",
    )
    .await;
    let tea = dora.say(room, "tea! We have run out of tea").await;
    react(&tea, "👍", &[bob, cleo, ann]).await;
    react(&tea, "🎉", &[emil]).await;
    ann.say(room, "I can go after work").await;
    let car = ann.say(room, "@bob shall I take the car?").await;
    let answer = json!({ "content": "Yes, the key hangs in the hall", "reply_to": id(&car) });
    let path = format!("rooms/{room}/messages");
    bob.post(&path, answer).await.ok(201);
    let files = format!("rooms/{room}/files");
    farid.say(room, "> tea! We have run out of tea\n\nI have some from home. The recipe for tonight:\n```\n500 g lentils\n  2 onions, 1 lemon\n  simmer for 25 min, and the lemon only when everything else is on the table\n```").await;
    let plan = Form::new().file("cleaning plan.pdf", "application/pdf", vec![b' '; 84_000]);
    emil.form("POST", &files, &plan).await.ok(201);
    let wrong = emil.say(room, "Wrong room, sorry").await;
    emil.delete(&format!("messages/{}", id(&wrong))).await;
    let lake = Form::new()
        .text("content", "Look what I saw on the way home")
        .file("evening at the lake.jpg", "image/jpeg", landscape(900, 600));
    let lake = cleo.form("POST", &files, &lake).await.ok(201);
    react(&lake, "❤️", &[ann, bob, dora, farid]).await;
    react(&lake, "😮", &[emil]).await;
    let edited = ann
        .say(room, "Thank you! I bring `flour` and tea at six")
        .await;
    let content = json!({ "content": "Thank you! I bring `flour` and tea at half past six" });
    ann.patch(&format!("messages/{}", id(&edited)), content)
        .await
        .ok(200);
    react(&edited, "👍", &[bob]).await;
    let read = json!({ "message_id": id(&edited) });
    ann.post(&format!("rooms/{room}/read"), read).await.done();
    dora.say(room, "@ann could you bring a lemon as well? And whatever looks good at the vegetable stall, we will find something to do with it.").await;
    cleo.say(room, "and chocolate 🍫").await;
}

async fn talk_elsewhere(ann: &Persona, people: &[Persona], rooms: &Rooms) {
    let [bob, cleo, dora, emil, farid] = people else {
        unreachable!("five people live here")
    };
    for n in 1..=12 {
        let who = &people[n % 4];
        who.say(
            rooms.trip,
            &format!("Idea number {n}: a hut by the water, and boats"),
        )
        .await;
    }
    dora.say(rooms.market, "Who wants a bookshelf? White, 80 × 200 cm")
        .await;
    dora.add(rooms.market, emil, "member").await;
    emil.say(rooms.market, "Me!").await;
    ann.say(rooms.garden, "The tomatoes need water **every** evening")
        .await;
    bob.say(rooms.garden, "I do Monday to Wednesday").await;
    for line in [
        "Did you pay the electricity bill?",
        "I put the letter on your desk",
    ] {
        bob.say(rooms.direct, line).await;
    }
    let paid = ann.say(rooms.direct, "Paid it this morning").await;
    let read = json!({ "message_id": id(&paid) });
    bob.post(&format!("rooms/{}/read", rooms.direct), read)
        .await
        .done();
    bob.say(rooms.direct, "Great, thank you 🙏").await;
    for other in [farid, cleo] {
        let room = ann.direct_room(other).await;
        other.say(room, "See you tomorrow at the station").await;
    }
}

async fn react(message: &Value, emoji: &str, people: &[&Persona]) {
    let emoji: String = form_urlencoded::byte_serialize(emoji.as_bytes()).collect();
    for person in people {
        let path = format!("messages/{}/reactions/{emoji}", id(message));
        person.call("PUT", &path, None).await.ok(200);
    }
}

/// Spreads the messages over several days.
fn spread_over_days(server: &TestServer) {
    server.edit_file(
        "UPDATE messages SET created_at = created_at
           - (SELECT count(*) FROM messages later WHERE later.id > messages.id) * 11 * 60000
           - (SELECT count(*) FROM messages later WHERE later.id > messages.id) / 9 * 86400000;
         DELETE FROM days;
         INSERT INTO days SELECT created_at / 86400000, min(id), max(id) FROM messages GROUP BY 1;",
    );
}

/// Returns the uuid of a room, which its URLs contain.
async fn address(ann: &Persona, room: i64) -> String {
    let room = ann.get(&format!("rooms/{room}")).await.ok(200);
    text(&room["uuid"])
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Draws a landscape and encodes it as JPEG.
fn landscape(width: u32, height: u32) -> Vec<u8> {
    let shade = |x: u32, y: u32| {
        let (x, y) = (x as f32 / width as f32, y as f32 / height as f32);
        let hill = 0.55 - 0.09 * (x * 7.0).sin() - 0.04 * (x * 17.0).cos();
        let sun = ((x - 0.68).powi(2) + (y - 0.36).powi(2) * (height as f32 / width as f32)).sqrt();
        let colour = if y > 0.72 {
            let wave = 12.0 * (y * 160.0 + x * 9.0).sin();
            [70.0 + wave + 70.0 * (1.0 - y), 90.0 + wave, 130.0 + wave]
        } else if y > hill {
            [38.0, 62.0 + 40.0 * (y - hill), 68.0]
        } else if sun < 0.07 {
            [255.0, 236.0, 190.0]
        } else {
            [250.0 - 40.0 * sun, 150.0 + 60.0 * y, 110.0 + 110.0 * sun]
        };
        Rgb(colour.map(|part| part.clamp(0.0, 255.0) as u8))
    };
    let image = DynamicImage::from(RgbImage::from_fn(width, height, shade));
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
    bytes.into_inner()
}

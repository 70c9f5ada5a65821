//! Files across protocols: a file sent in one is announced in all, and its URL works for everybody who receives it.

use super::*;

/// Fetches the file URL at the end of `text`, if there is one.
async fn fetch(reader: &Persona, text: &str) -> Option<Reply> {
    let address = text.rsplit(' ').next().unwrap();
    let path = &address[address.find("/files/")?..];
    let foreign = address.strip_suffix(path).unwrap();
    match foreign {
        // Only the native protocol gives a relative URL.
        "" => Some(reader.get(path).await),
        _ => {
            assert_eq!(foreign, format!("http://{}", reader.address));
            Some(Client::new(reader.address).get(path).await)
        }
    }
}

async fn everybody_gets(seats: &mut [Seated], name: &str, bytes: &str) {
    for seat in seats {
        let (text, voice) = (seat.seat.hear_file().await, seat.voice.name);
        assert!(text.contains(name), "{voice}: {text}");
        let fetched = fetch(&seat.person, &text).await;
        // `back_chat` announces names only.
        assert_eq!(fetched.is_none(), voice == "back_chat", "{text}");
        if let Some(reply) = fetched {
            assert_eq!(
                (reply.status.as_u16(), &*reply.body),
                (200, bytes.as_bytes())
            );
        }
    }
}

async fn everybody_uploads(seats: &mut [Seated]) {
    const NAME: &str = "minutes.pdf";
    const BYTES: &str = "all that was decided";
    for sender in 0..seats.len() {
        if seats[sender].seat.upload(NAME, BYTES).await {
            everybody_gets(seats, NAME, BYTES).await;
        }
    }
}

#[tokio::test]
async fn lobby_files_reach_every_protocol() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let place = Place::of(Kind::Lobby, 1, &[&ann]);
    let mut seats = Vec::new();
    for voice in voices_in(Kind::Lobby) {
        let person = server.user(&format!("{}-user", voice.name)).await;
        seats.push(Seated::new(voice, &person, &place).await);
    }
    everybody_uploads(&mut seats).await;
}

#[tokio::test]
async fn files_between_two_people_reach_both() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let place = Place::of(Kind::Direct, ann.direct_room(&bob).await, &[&ann, &bob]);
    let mut seats = Vec::new();
    for voice in voices_in(Kind::Direct) {
        for person in [&ann, &bob] {
            seats.push(Seated::new(voice, person, &place).await);
        }
    }
    everybody_uploads(&mut seats).await;
}

//! Direct messages across protocols: delivery, history and read status.

use super::*;

/// Returns Ann, Bob and their direct room.
async fn two(server: &TestServer) -> (Persona, Persona, Place) {
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let room = ann.direct_room(&bob).await;
    let place = Place::of(Kind::Direct, room, &[&ann, &bob]);
    (ann, bob, place)
}

#[tokio::test]
async fn both_people_receive_direct_messages_in_every_protocol() {
    let server = TestServer::start().await;
    let (ann, bob, place) = two(&server).await;
    let mut seats = Vec::new();
    for voice in voices_in(Kind::Direct) {
        for person in [&ann, &bob] {
            seats.push(Seated::new(voice, person, &place).await);
        }
    }
    let said = talk(&mut seats, &place).await;
    for person in [&ann, &bob] {
        assert_histories(person, &place, &said).await;
    }
}

#[tokio::test]
async fn messages_read_in_one_protocol_are_read_in_all() {
    let server = TestServer::start().await;
    let (ann, bob, place) = two(&server).await;
    let mut anns = Vec::new();
    for voice in voices_in(Kind::Direct) {
        anns.push(Seated::new(voice, &ann, &place).await);
    }
    for voice in voices_in(Kind::Direct) {
        let mut bobs = Seated::new(voice, &bob, &place).await;
        for writer in 0..anns.len() {
            let text = format!("{} to {}", anns[writer].voice.name, voice.name);
            anns[writer].seat.say(text.clone()).await;
            hear_all(&mut anns, &[("ann".to_owned(), text.clone())]).await;
            bobs.hears("ann", &text).await;
            assert_read(&ann, &bob, &place, false).await;
            if !bobs.seat.mark_read().await {
                bob_reads(&bob, &place).await;
            }
            for seat in &mut anns {
                seat.seat.hear_read().await;
            }
            assert_read(&ann, &bob, &place, true).await;
        }
    }
}

/// Marks as read over the native protocol, for protocols that have no such operation.
async fn bob_reads(bob: &Persona, place: &Place) {
    let mut seat = Seated::new(VOICES[0], bob, place).await;
    assert!(seat.seat.mark_read().await);
}

async fn assert_read(writer: &Persona, reader: &Persona, place: &Place, expected: bool) {
    for voice in voices_in(Kind::Direct) {
        if let Some(is_read) = voice.is_read {
            let read = is_read(writer.clone(), reader.clone(), place.clone()).await;
            assert_eq!(read, expected, "{}", voice.name);
        }
    }
}

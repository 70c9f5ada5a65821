//! A token is valid in all protocols until its session ends, and then in none.

use super::*;

/// The lobby, and the direct room of Ann and Bob for protocols that cannot address the lobby.
struct Places {
    lobby: Place,
    direct: Place,
}

impl Places {
    async fn new(ann: &Persona, bob: &Persona) -> Self {
        let room = ann.direct_room(bob).await;
        Self {
            lobby: Place::of(Kind::Lobby, 1, &[ann, bob]),
            direct: Place::of(Kind::Direct, room, &[ann, bob]),
        }
    }

    async fn seat(&self, voice: &'static Voice, person: &Persona) -> Seated {
        let place = match (voice.goes_to)(Kind::Lobby) {
            true => &self.lobby,
            false => &self.direct,
        };
        Seated::new(voice, person, place).await
    }

    async fn seats(&self, person: &Persona) -> Vec<Seated> {
        let mut seats = Vec::new();
        for voice in VOICES {
            seats.push(self.seat(voice, person).await);
        }
        seats
    }
}

/// Logs in through every protocol that has a login. Returns the protocols' names and a persona with each token.
async fn log_in_everywhere(server: &TestServer, person: &Persona) -> Vec<(&'static str, Persona)> {
    let mut all = Vec::new();
    for voice in VOICES {
        if let Some(log_in) = voice.log_in {
            let token = log_in(server.anybody(), person.name.clone()).await;
            all.push((voice.name, person.with_token(&token)));
        }
    }
    all
}

#[tokio::test]
async fn a_token_from_any_protocol_is_valid_in_all() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let places = Places::new(&ann, &bob).await;
    for (origin, ann) in log_in_everywhere(&server, &ann).await {
        for voice in VOICES {
            let reply = ann.get(voice.own_page).await;
            assert_eq!(reply.status, 200, "{origin} in {}: {reply}", voice.name);
            let mut seat = places.seat(voice, &ann).await;
            let text = format!("{origin} in {}", voice.name);
            seat.seat.say(text.clone()).await;
            seat.hears("ann", &text).await;
        }
    }
}

#[tokio::test]
async fn logging_out_anywhere_ends_the_session_everywhere() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let places = Places::new(&ann, &bob).await;
    let mut others = places.seats(&ann).await;
    for log_out in VOICES.iter().filter_map(|voice| voice.log_out) {
        for (origin, here) in log_in_everywhere(&server, &ann).await {
            let seats = places.seats(&here).await;
            log_out(server.anybody().token(&here.token)).await;
            for seat in seats {
                seat.seat.closed().await;
            }
            for voice in VOICES {
                let reply = here.get(voice.own_page).await;
                assert_eq!(reply.status, 401, "{origin} in {}: {reply}", voice.name);
            }
        }
    }
    // Another session of the same person stays connected.
    for seat in &mut others {
        let text = format!("still here by {}", seat.voice.name);
        seat.seat.say(text.clone()).await;
        loop {
            if seat.seat.hear().await.1 == text {
                break;
            }
        }
    }
}

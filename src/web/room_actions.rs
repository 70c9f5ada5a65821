//! Forms on a room's details page: join, leave, settings, and the actions of owners, moderators and admins.

use std::time::Duration;

use crate::chat::{Caller, ChatError, MemberEdit};
use crate::dialect::kit::{Call, Fault};
use crate::model::{Key, MemberRole, Millis, Notify, Role, RoomEdit, RoomKind, ShownName, UserId};

use super::chat::room_of;
use super::flash::Notice;
use super::form::{Form, sender};
use super::form_fields::Refused;
use super::image_form;
use super::respond::{Answer, Stop, done, found};
use super::room_details::{Scene, address, not_offered};

impl Scene {
    /// Reads a form about the room in the path.
    async fn of(call: &mut Call) -> Result<(Self, Form), Stop> {
        let (me, form) = Form::of_caller(call).await?;
        let (room, place) = room_of(call, &me).await?;
        Ok((Self { me, room, place }, form))
    }

    /// Redirects to the details page on success, else renders it with the error.
    pub(super) async fn after<T>(
        &self,
        call: &Call,
        which: &'static str,
        form: &Form,
        outcome: Result<T, ChatError>,
    ) -> Answer {
        match outcome {
            Ok(_) => Ok(done(&address(&self.room), Notice::Saved)),
            Err(error) => {
                let error = &error;
                self.show(call, Some(&Refused { which, form, error })).await
            }
        }
    }
}

pub(super) async fn join(mut call: Call) -> Answer {
    let (scene, _) = Scene::of(&mut call).await?;
    if scene.place.is_none() {
        call.kit.chat.join(&scene.me, scene.room.id).await?;
    }
    Ok(found(&format!("/chat/{}", scene.room.uuid)))
}

pub(super) async fn leave(mut call: Call) -> Answer {
    let (scene, _) = Scene::of(&mut call).await?;
    call.kit.chat.leave(&scene.me, scene.room.id).await?;
    Ok(done("/conversations", Notice::Left))
}

pub(super) async fn notify(mut call: Call) -> Answer {
    let (scene, form) = Scene::of(&mut call).await?;
    let saved = match Notify::parse(form.raw("notify")) {
        Some(notify) => {
            let chat = &call.kit.chat;
            chat.set_notify(&scene.me, scene.room.id, notify).await
        }
        None => Err(not_offered("notify").into()),
    };
    scene.after(&call, "notify", &form, saved).await
}

pub(super) async fn edit(mut call: Call) -> Answer {
    let (scene, form) = Scene::of(&mut call).await?;
    let edited = match scene.edit_of(&form) {
        Ok(edit) => {
            call.kit
                .chat
                .edit_room(&scene.me, scene.room.id, edit)
                .await
        }
        Err(error) => Err(error),
    };
    scene.after(&call, "edit", &form, edited).await
}

impl Scene {
    fn edit_of(&self, form: &Form) -> Result<RoomEdit, ChatError> {
        let kind = RoomKind::parse(form.raw("kind"))
            .filter(|kind| !kind.is_fixed())
            .ok_or(not_offered("kind"))?;
        let key = form.optional("access_key", Key::parse)?;
        // A caller who is no member does not see the key, so an empty field does not remove it.
        let keeps_key = key.is_none() && self.place.is_none();
        Ok(RoomEdit {
            name: Some(ShownName::of_room(form.raw("name"))?),
            description: Some(crate::model::description(form.raw("description"))?),
            kind: Some(kind),
            access_key: Some(key).filter(|_| kind == RoomKind::Private && !keeps_key),
        })
    }
}

pub(super) async fn set_picture(mut call: Call) -> Answer {
    let me = sender(&call).await?;
    let (room, place) = room_of(&call, &me).await?;
    let scene = Scene { me, room, place };
    let chat = call.kit.chat.clone();
    let (me, room) = (&scene.me, scene.room.id);
    let by = call.sender(me);
    let keep = |bytes| chat.set_room_picture(by, room, bytes);
    let taken = image_form::take(&mut call, me, keep).await?;
    scene.after(&call, "picture", &Form::default(), taken).await
}

pub(super) async fn clear_picture(mut call: Call) -> Answer {
    let (scene, _) = Scene::of(&mut call).await?;
    let chat = &call.kit.chat;
    chat.clear_room_picture(&scene.me, scene.room.id).await?;
    Ok(done(&address(&scene.room), Notice::Saved))
}

pub(super) async fn add(mut call: Call) -> Answer {
    let (scene, form) = Scene::of(&mut call).await?;
    let added = add_named(&call, &scene.me, &scene, form.text("username")).await;
    scene.after(&call, "add", &form, added).await
}

async fn add_named(call: &Call, me: &Caller, scene: &Scene, name: &str) -> Result<(), ChatError> {
    let chat = &call.kit.chat;
    let user = chat.user_called(name).await?;
    chat.add_member(me, scene.room.id, user.id())
        .await
        .map(drop)
}

pub(super) async fn kick(mut call: Call) -> Answer {
    let (scene, form) = Scene::of(&mut call).await?;
    let (chat, user) = (&call.kit.chat, user_id(&form)?);
    chat.remove_member(&scene.me, scene.room.id, user).await?;
    Ok(done(&address(&scene.room), Notice::Kicked))
}

pub(super) async fn set_role(mut call: Call) -> Answer {
    let (scene, form) = Scene::of(&mut call).await?;
    let role = MemberRole::parse(form.raw("role")).filter(|role| *role != MemberRole::Owner);
    let edit = MemberEdit {
        role: Some(role.ok_or(not_offered("role"))?),
        muted_until: None,
    };
    scene.edit_member(&call, &form, edit).await
}

pub(super) async fn mute(mut call: Call) -> Answer {
    let (scene, form) = Scene::of(&mut call).await?;
    let minutes: u32 = form
        .raw("minutes")
        .parse()
        .map_err(|_| not_offered("minutes"))?;
    let until = match minutes {
        0 => Millis(0),
        minutes => Millis::now().after(Duration::from_secs(u64::from(minutes) * 60)),
    };
    let edit = MemberEdit {
        role: None,
        muted_until: Some(until),
    };
    scene.edit_member(&call, &form, edit).await
}

impl Scene {
    async fn edit_member(&self, call: &Call, form: &Form, edit: MemberEdit) -> Answer {
        let (chat, user) = (&call.kit.chat, user_id(form)?);
        chat.edit_member(&self.me, self.room.id, user, edit).await?;
        Ok(done(&address(&self.room), Notice::Saved))
    }
}

pub(super) async fn transfer(mut call: Call) -> Answer {
    let (scene, form) = Scene::of(&mut call).await?;
    let (chat, user) = (&call.kit.chat, user_id(&form)?);
    chat.transfer(&scene.me, scene.room.id, user).await?;
    Ok(done(&address(&scene.room), Notice::Saved))
}

pub(super) async fn clear(mut call: Call) -> Answer {
    let (scene, _) = Scene::of(&mut call).await?;
    call.kit.chat.clear_room(&scene.me, scene.room.id).await?;
    Ok(done(&address(&scene.room), Notice::Cleared))
}

pub(super) async fn delete(mut call: Call) -> Answer {
    let (scene, _) = Scene::of(&mut call).await?;
    call.kit.chat.delete_room(&scene.me, scene.room.id).await?;
    let back = match scene.me.role() {
        Role::Admin if scene.place.is_none() => "/groups",
        _ => "/conversations",
    };
    Ok(done(back, Notice::RoomDeleted))
}

fn user_id(form: &Form) -> Result<UserId, Stop> {
    let id = form.raw("user").parse().map_err(|_| Fault::NoRoute)?;
    Ok(UserId(id))
}

"""A whole client of Parlor: python3 parlor.py http://localhost:8080 ann PASSWORD [ROOM]      (pip install websockets)
Shows what is said in your rooms, says what you type in ROOM (1: the lobby). Nothing is lost, nothing comes twice."""
import asyncio, json, sys, threading, urllib.request, uuid, websockets

server, username, password, place = (sys.argv[1:] + ["1"])[:4]
socket, newest, unsure = None, {}, {}  # room → highest change_id seen; number → what was sent without answer

def sign_in(way, **body):
    url, data, head = f"{server}/api/v1/auth/{way}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    return json.load(urllib.request.urlopen(urllib.request.Request(url, data, head), timeout=30))

def show(message):  # new, edited, deleted, or reacted to
    if message["change_id"] > newest[message["room_id"]]:
        newest[message["room_id"]] = message["change_id"]
        print(f"[{message['room_id']}] {message['sender']['username']}: {message['content']}", flush=True)

async def say(**frame): await socket.send(json.dumps(frame))
async def resume(room, change_id): await say(op="resume", id=0, room=room, after=newest.setdefault(room, change_id))

async def hear(event="", re=None, ok={}, error={}, **more):
    if event in ("welcome", "rooms", "room_created"):
        for room in more.get("rooms", [more.get("room")]):  # of each what was missed, then what comes
            print(f"# {room['id']} {room['name']}, {room.get('unread', 0)} unread", flush=True)
            await resume(room["id"], room.get("change_id", 0))
    elif "message" in more: show(more["message"])
    elif error.get("code") in ("busy", "limited"): await socket.close()  # and comes back in a moment
    else:
        unsure.pop(re, None)
        if error or ok.get("reset"): print("!", error.get("detail", "too much was missed"), flush=True)
        for message in ok.get("messages", []): show(message)
        if ok.get("more"): await resume(ok["room"], 0)

def type_on(loop):
    for number, text in enumerate(sys.stdin, 1):  # with its uuid a message may be sent again, it is stored once
        unsure[number] = dict(op="send", id=number, room=int(place), uuid=str(uuid.uuid4()), content=text)
        asyncio.run_coroutine_threadsafe(say(**unsure[number]), loop)

async def main():
    global socket
    grant = sign_in("login", username=username, password=password)
    threading.Thread(target=type_on, args=[asyncio.get_running_loop()], daemon=True).start()
    async for opened in websockets.connect(server.replace("http", "ws", 1) + "/api/v1/ws"):  # again and again
        try:
            grant = await asyncio.to_thread(sign_in, "refresh", refresh_token=grant["refresh_token"])
            await (socket := opened).send(json.dumps({"op": "auth", "token": grant["access_token"]}))
            for frame in list(unsure.values()): await say(**frame)
            async for text in socket: await hear(**json.loads(text))
        except (OSError, websockets.ConnectionClosed) as end:
            await asyncio.sleep(1) if "401" not in str(end) else sys.exit("logged out")

asyncio.run(main())

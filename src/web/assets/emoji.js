// Emoji by name, the most common first.

const TABLE =
  "thumbsup 👍,heart ❤️,joy 😂,tada 🎉,open_mouth 😮,cry 😢,smile 😄,grin 😁,grinning 😀,smiley 😃,laughing 😆,sweat_smile 😅," +
  "rofl 🤣,wink 😉,blush 😊,innocent 😇,heart_eyes 😍,star_struck 🤩,kissing_heart 😘,yum 😋,stuck_out_tongue 😛,zany 🤪," +
  "thinking 🤔,raised_eyebrow 🤨,neutral 😐,expressionless 😑,smirk 😏,unamused 😒,rolling_eyes 🙄,grimacing 😬,relieved 😌," +
  "pensive 😔,sleepy 😪,sleeping 😴,mask 😷,sick 🤒,dizzy 😵,exploding_head 🤯,cowboy 🤠,party 🥳,sunglasses 😎,nerd 🤓," +
  "confused 😕,worried 😟,frowning 🙁,astonished 😲,flushed 😳,pleading 🥺,fearful 😨,sob 😭,scream 😱,disappointed 😞," +
  "tired 😫,yawning 🥱,angry 😠,rage 😡,skull 💀,poop 💩,clown 🤡,ghost 👻,alien 👽,robot 🤖,cat 🐱,see_no_evil 🙈," +
  "hugging 🤗,shushing 🤫,zipper_mouth 🤐,upside_down 🙃,melting 🫠,salute 🫡,thumbsdown 👎,ok_hand 👌,pinched 🤏,victory ✌️," +
  "crossed_fingers 🤞,rock_on 🤘,call_me 🤙,point_left 👈,point_right 👉,point_up 👆,point_down 👇,wave 👋,raised_hand ✋," +
  "clap 👏,raised_hands 🙌,open_hands 👐,handshake 🤝,pray 🙏,writing ✍️,muscle 💪,eyes 👀,eye 👁️,brain 🧠,shrug 🤷,facepalm 🤦," +
  "orange_heart 🧡,yellow_heart 💛,green_heart 💚,blue_heart 💙,purple_heart 💜,black_heart 🖤,white_heart 🤍,broken_heart 💔," +
  "sparkling_heart 💖,hundred 💯,boom 💥,sparkles ✨,star ⭐,fire 🔥,rainbow 🌈,sun ☀️,cloud ☁️,rain 🌧️,snow ❄️,zap ⚡,moon 🌙," +
  "earth 🌍,rose 🌹,sunflower 🌻,tree 🌳,clover 🍀,dog 🐶,mouse 🐭,fox 🦊,bear 🐻,panda 🐼,monkey 🐵,chicken 🐔,penguin 🐧," +
  "unicorn 🦄,bee 🐝,bug 🐛,butterfly 🦋,turtle 🐢,fish 🐟,whale 🐳,apple 🍎,banana 🍌,strawberry 🍓,pizza 🍕,burger 🍔," +
  "fries 🍟,cookie 🍪,cake 🍰,birthday 🎂,chocolate 🍫,coffee ☕,tea 🍵,beer 🍺,beers 🍻,wine 🍷,cheers 🥂,popcorn 🍿,soccer ⚽," +
  "trophy 🏆,medal 🏅,guitar 🎸,music 🎵,gift 🎁,balloon 🎈,rocket 🚀,airplane ✈️,car 🚗,bike 🚲,train 🚆,house 🏠,school 🏫," +
  "phone 📱,computer 💻,camera 📷,bulb 💡,book 📖,pencil ✏️,memo 📝,calendar 📅,mail ✉️,lock 🔒,key 🔑,hammer 🔨,wrench 🔧," +
  "money 💰,bell 🔔,alarm ⏰,hourglass ⏳,check ✅,cross ❌,warning ⚠️,question ❓,exclamation ❗,plus ➕,minus ➖,up ⬆️,down ⬇️," +
  "recycle ♻️,stop 🛑,pin 📌,link 🔗,search 🔍";

/** Pairs of name and emoji. */
export const EMOJI = TABLE.split(",").map((pair) => pair.split(" "));

/** Emoji offered first for reactions. */
export const QUICK = EMOJI.slice(0, 6);

const known = new Map(EMOJI);

export const emojiOf = (name) => known.get(name);

/** Returns the emoji whose names contain the query; names that begin with it come first. */
export function findEmoji(query) {
  const wanted = query.toLowerCase().replace(/[\s-]+/g, "_");
  const fit = EMOJI.filter(([name]) => name.includes(wanted));
  return fit.sort(([a], [b]) => b.startsWith(wanted) - a.startsWith(wanted));
}

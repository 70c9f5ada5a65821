//! Passwords that attackers try first: common words with usual substitutions, keyboard rows, repetitions, the account's
//! own name.

use unicode_normalization::UnicodeNormalization;

/// Words that common passwords consist of. Digits or signs before or after them do not help.
const WORDS: &str = "\
    abcdefgh access adidas admin administrator adrian alexander alexandra amanda america andrea \
    andreas andrew angel angela anthony apple arsenal asdfasdf asdfghjkl ashley asshole austin \
    bailey banana barbara barcelona baseball basketball batman beautiful benjamin berlin bigdog \
    bismillah blahblah blink borussia brandon bubbles buster butterfly butthead carlos carolina \
    changeit changeme charles charlie chatchat cheese chelsea chester chicago chocolate chris \
    christian christina christine claudia coffee computer consumer cookie cooper corvette \
    creative crystal dallas daniel daniela default deutschland diamond dolphin dolphins donald \
    dortmund dragon eagles einstein elephant elizabeth eminem engineer enter fender ferrari \
    firebird fischer fishing flower flowers football forever formula frankfurt franziska \
    freedom freiheit freunde friends fuckoff fuckyou fussball gabriel gandalf garfield geheim \
    george ginger godzilla golden golfer google guest guitar hallo hallohallo hallowelt hamburg \
    hammer hannah hannover happy harley harrypotter heather hello hellohello helloworld \
    herzblatt hockey hollywood hunter iceman iloveu iloveyou internet jackson jasmine jasper \
    jennifer jessica jesus johannes johnson jonathan jordan joseph joshua julian junior justin \
    katharina kennwort killer kitten knight lakers lasvegas lauren letmein liebe liebling \
    linkedin liverpool login london lovelove lovely loveme loveyou madison maggie marina \
    marlboro martin master matrix matthew matthias maverick maximilian melanie mercedes merlin \
    michael michaela michelle mickey midnight miller monica monkey monster morgan motorola \
    mountain muenchen muffin murphy mustang naruto natalie nathan newyork nicholas nicole \
    nirvana october oliver orange packers pakistan panther paradise parlor parlour parola pass \
    passat passw passwd password passwordpassword passwort patricia patrick peanut pepper \
    phoenix pineapple player please pokemon pookie porsche princess prinzessin purple qazwsx \
    qwert qwerty qwertyuiop qwertz qwertzuiop rachel raiders rainbow rangers raspberry \
    realmadrid rebecca redskins richard robert rocket root rosebud runner russia samantha \
    samsung sandra schalke schatz schatzi school schule scooter scorpion sebastian secret \
    september server service shadow shannon sierra silver slayer slipknot smokey snoopy soccer \
    sommer sonnenschein sophie sparky spider spiderman startrek starwars steelers stefanie \
    stephanie steven stuttgart summer sunflower sunshine superman superstar support swordfish \
    taylor telekom tennis teresa test tester testing testtest thomas thunder thunderbird tigger \
    tinkerbell trustno trustnoone unknown user vanessa victoria viking vikings voyager warrior \
    welcome werder whatever william willkommen windows winner winston winter wizard xavier \
    yamaha yankees yellow zaq zxcvbnm";

/// Sequences of keys or characters that people type; matched in both directions.
const ROWS: &[&str] = &[
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiop[]asdfghjkl;'zxcvbnm,./",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "1q2w3e4r5t6y7u8i9o0p",
    "1q2w3e4r5t6z7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "1a2b3c4d5e6f7g8h9i0j",
    "a1b2c3d4e5f6g7h8i9j0",
    "123qweasdzxc",
    "qweasdzxc123",
    "qwe123asd456",
    "qwer1234asdf5678",
    "asdf1234qwer5678",
    "abcd1234efgh5678",
    "1234abcd5678efgh",
    "1234qwer5678asdf",
    "159753258456",
    "147258369",
    "123321123321",
    "112233445566778899",
    "11223344556677889900",
    "123654789",
    "987456321",
    "3.14159265358979",
    "314159265358979",
];

/// Whether an attacker who knows the account's `names` would try the password among the first.
pub(super) fn is_guessable(password: &str, names: &[&str]) -> bool {
    let whole = fold(password);
    let core = core(&whole);
    let (plain_whole, plain_core) = (plain(&whole), plain(core));
    let forms = [whole.as_str(), core, &plain_whole, &plain_core];
    WORDS.split(' ').any(|word| forms.contains(&word))
        || is_repetition(&whole)
        || is_row(&whole)
        || names.iter().any(|name| is_made_of(&forms, name))
}

/// Removes case, width (NFKC) and white space.
fn fold(text: &str) -> String {
    let letters = text.nfkc().flat_map(char::to_lowercase);
    letters.filter(|c| !c.is_whitespace()).collect()
}

/// Removes digits and signs before and after a word.
fn core(text: &str) -> &str {
    text.trim_matches(|c: char| !c.is_alphabetic())
}

/// Replaces digits and signs by the letters they look like.
fn plain(text: &str) -> String {
    let letter = |c| match c {
        '0' => 'o',
        '1' | '!' | '|' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    };
    text.chars().map(letter).collect()
}

fn is_repetition(text: &str) -> bool {
    let all: Vec<char> = text.chars().collect();
    (1..=4).any(|unit| all.len() > unit && all.iter().zip(&all[unit..]).all(|(a, b)| a == b))
}

fn is_row(text: &str) -> bool {
    let back: String = text.chars().rev().collect();
    ROWS.iter()
        .any(|row| row.contains(text) || row.contains(back.as_str()))
}

/// Whether the password is `name` or, of an e-mail address, the part before the `@`: as it is, without digits and
/// signs around it, reversed, or twice.
fn is_made_of(forms: &[&str], name: &str) -> bool {
    let name = fold(name);
    let local = name.split('@').next().unwrap_or_default();
    let turned: String = local.chars().rev().collect();
    let twice = local.repeat(2);
    [name.as_str(), local, core(local), &turned, &twice]
        .iter()
        .any(|name| !name.is_empty() && forms.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_passwords_are_guessable() {
        for password in [
            "password",
            "Password1!",
            "P@ssw0rd",
            "p4ssw0rt123",
            "12345678",
            "987654321",
            "qwertyuiop",
            "QWERTZUI",
            "11111111",
            "abababab",
            "abcabcabc",
            "iloveyou2",
            "Summer2026!",
            "pass word",
            "1q2w3e4r",
            "asdfghjk",
            "!!hallo!!",
            "trustno1",
            "ｐａｓｓｗｏｒｄ",
        ] {
            assert!(is_guessable(password, &[]), "{password}");
        }
    }

    #[test]
    fn the_own_name_is_guessable() {
        let names = ["wilhelmine", "Mina von Ort", "mina.ort@example.org", ""];
        for password in [
            "wilhelmine",
            "Wilhelmine1999",
            "wilhelminewilhelmine",
            "enimlehliw",
            "Mina von Ort",
            "minavonort!",
            "mina.ort@example.org",
            "mina.ort12",
        ] {
            assert!(is_guessable(password, &names), "{password}");
            assert!(!is_guessable(password, &[]), "{password}");
        }
    }

    #[test]
    fn other_passwords_are_accepted() {
        for password in [
            "correct horse",
            "battery staple",
            "a long password",
            "wilhelmine",
            "Tr0ub4dor&3",
            "пароль наш",
            "密码密码很长的",
            "x7!kq02m",
        ] {
            assert!(
                !is_guessable(password, &["ann", "ann@example.org"]),
                "{password}"
            );
        }
    }
}

//! Translations of the core's reasons for refusing values.

pub(super) const GERMAN: &[(&str, &str)] = &[
    ("must not be empty", "darf nicht leer sein"),
    ("is too long", "ist zu lang"),
    ("is missing", "fehlt"),
    (
        "must have something to see",
        "muss etwas enthalten, das man sieht",
    ),
    (
        "must not contain other blanks than spaces",
        "darf nur gewöhnliche Leerzeichen enthalten",
    ),
    ("is wrong", "ist falsch"),
    (
        "must not begin or end with a blank",
        "darf nicht mit einem Leerzeichen beginnen oder enden",
    ),
    ("must not contain @", "darf kein @ enthalten"),
    (
        "must not contain control characters",
        "darf keine Steuerzeichen enthalten",
    ),
    (
        "must not contain control or invisible characters",
        "darf keine Steuerzeichen oder unsichtbaren Zeichen enthalten",
    ),
    (
        "must not mix alphabets",
        "darf keine verschiedenen Alphabete mischen",
    ),
    ("is not an e-mail address", "ist keine E-Mail-Adresse"),
    (
        "must have at least {n} characters",
        "muss mindestens {n} Zeichen haben",
    ),
    (
        "must have at most 128 characters",
        "darf höchstens 128 Zeichen haben",
    ),
    (
        "must be a JPEG, PNG, GIF or WebP picture",
        "muss ein Bild sein: JPEG, PNG, GIF oder WebP",
    ),
    (
        "is damaged, so place and camera cannot be taken out: save it anew, or send it in an archive",
        "ist beschädigt, sodass sich Ort und Kamera nicht entfernen lassen: neu speichern oder in einem Archiv senden",
    ),
    (
        "is of a type that is not taken here",
        "ist von einer Art, die hier nicht angenommen wird",
    ),
    ("is too easy to guess", "ist zu leicht zu erraten"),
    ("is for private rooms", "ist nur für private Räume"),
    ("must be somebody else", "muss jemand anderes sein"),
    (
        "is none of those that are offered",
        "ist keine der angebotenen Möglichkeiten",
    ),
    (
        "is one too many: a message has at most 10 files",
        "ist eine zu viel: Eine Nachricht hat höchstens 10 Dateien",
    ),
    ("is too small or too large", "ist zu klein oder zu groß"),
];

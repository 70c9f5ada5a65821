//! Version 7 uuids like those of the web page, except that the last digit identifies the sender in a room.

/// A generator of uuids.
pub struct Uuids(u64);

impl Uuids {
    /// Creates a generator. Different seeds give different uuids.
    pub fn new(seed: u64) -> Self {
        let now = std::time::UNIX_EPOCH
            .elapsed()
            .map_or(1, |time| time.as_nanos() as u64);
        Self((now ^ seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)) | 1)
    }

    /// Returns the next uuid, with `mark` (0 to 15) as its last digit.
    pub fn next(&mut self, mark: usize) -> String {
        let (high, low) = (self.random(), self.random());
        let now = std::time::UNIX_EPOCH
            .elapsed()
            .map_or(0, |time| time.as_millis() as u64);
        format!(
            "{:08x}-{:04x}-7{:03x}-8{:03x}-{:011x}{mark:x}",
            now >> 16,
            now & 0xFFFF,
            high & 0xFFF,
            low >> 52,
            low & 0xFFF_FFFF_FFFF
        )
    }

    /// Returns the next number of the xorshift64* generator.
    fn random(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }
}

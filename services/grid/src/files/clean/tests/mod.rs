//! What is cleaned tells nothing, shows the same, and whatever is broken is refused.

mod pictures;

use std::io::{Read, Seek, Write};

use image::ImageFormat;
use pictures::{SECRET, drawing, fields, gif, photo, picture, shown, webp};
use proptest::prelude::*;

use super::{Cleaned, clean};

const KINDS: [&str; 8] = [
    "image/jpeg",
    "image/png",
    "image/webp",
    "image/gif",
    "audio/mpeg",
    "audio/wav",
    "audio/mp4",
    "video/quicktime",
];

/// What is left of a file; `None` where it is called broken.
fn cleaned(content_type: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(bytes).expect("written");
    let is_fine = clean(content_type, &mut file).expect("no disk fails") == Cleaned::Done;
    let mut left = Vec::new();
    file.rewind().expect("at its start");
    file.read_to_end(&mut left).expect("read");
    is_fine.then_some(left)
}

fn tells(bytes: &[u8]) -> bool {
    bytes.windows(SECRET.len()).any(|window| window == SECRET)
}

#[test]
fn pictures_tell_nothing_and_show_the_same() {
    let kinds =
        [("image/jpeg", photo()), ("image/png", drawing()), ("image/webp", webp()), ("image/gif", gif())];
    for (kind, dirty) in kinds {
        assert!(tells(&dirty), "{kind}: there is something to remove");
        let clean = cleaned(kind, &dirty).expect(kind);
        assert!(!tells(&clean), "{kind}");
        assert_eq!(shown(&clean), shown(&dirty), "{kind}");
        assert_eq!(cleaned(kind, &clean), Some(clean.clone()), "{kind}: once is enough");
    }
}

#[test]
fn of_exif_only_the_way_up_is_left() {
    for (kind, dirty) in [("image/jpeg", photo()), ("image/webp", webp())] {
        let before = fields(&dirty);
        assert!(before.iter().any(|(tag, _)| *tag == exif::Tag::GPSLatitude), "{kind}: {before:?}");
        let way_up: Vec<_> = before.into_iter().filter(|(tag, _)| *tag == exif::Tag::Orientation).collect();
        assert_eq!((fields(&cleaned(kind, &dirty).expect(kind)), way_up.len()), (way_up, 1), "{kind}");
    }
    assert_eq!(fields(&cleaned("image/png", &drawing()).expect("fine")), []);
}

#[test]
fn a_picture_that_tells_nothing_stays_as_it_is() {
    let formats = [
        ("image/png", ImageFormat::Png),
        ("image/jpeg", ImageFormat::Jpeg),
        ("image/webp", ImageFormat::WebP),
        ("image/gif", ImageFormat::Gif),
    ];
    for (kind, format) in formats {
        let plain = picture(format);
        assert_eq!(cleaned(kind, &plain), Some(plain), "{kind}");
    }
}

fn atom(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32 + 8).to_be_bytes()[..], kind, content].concat()
}

/// A track with one chunk of one sample at `offset`.
fn track(handler: &[u8; 4], offset: u32, length: u32, told: &[u8]) -> Vec<u8> {
    let numbers = |numbers: &[u32]| numbers.iter().flat_map(|n| n.to_be_bytes()).collect::<Vec<u8>>();
    let tables = [
        atom(b"stsz", &numbers(&[0, 0, 1, length])),
        atom(b"stsc", &numbers(&[0, 1, 1, 1, 1])),
        atom(b"stco", &numbers(&[0, 1, offset])),
    ];
    let media = [
        atom(b"hdlr", &[&[0; 8], &handler[..], &[0; 12]].concat()),
        atom(b"minf", &atom(b"stbl", &tables.concat())),
    ];
    atom(b"trak", &[atom(b"mdia", &media.concat()), atom(b"udta", told)].concat())
}

#[test]
fn a_film_keeps_pictures_and_sound_and_tells_no_position() {
    let begin = atom(b"ftyp", b"isom\0\0\0\0isom");
    let seen = b"these are the pictures";
    let data = atom(b"mdat", &[&seen[..], SECRET].concat());
    let at = begin.len() as u32 + 8;
    let movie = [
        track(b"vide", at, seen.len() as u32, SECRET),
        track(b"meta", at + seen.len() as u32, SECRET.len() as u32, b""),
        atom(b"udta", &atom(b"\xa9xyz", SECRET)),
        atom(b"meta", SECRET),
    ];
    let film = [begin, data, atom(b"moov", &movie.concat()), atom(b"uuid", SECRET)].concat();
    for kind in ["video/mp4", "video/quicktime", "video/3gpp", "audio/mp4"] {
        let clean = cleaned(kind, &film).expect("fine");
        assert!(!tells(&clean), "{kind}");
        assert_eq!(clean.len(), film.len(), "nothing moves");
        assert_eq!(clean[at as usize..][..seen.len()], seen[..]);
        assert_eq!(cleaned(kind, &film[..film.len() - 1]), None, "cut off");
    }
}

#[test]
fn a_film_with_tables_that_lie_is_refused_soon() {
    let begin = atom(b"ftyp", b"isom\0\0\0\0isom");
    for (offset, length) in [(u32::MAX, 10), (0, u32::MAX), (100_000, 1)] {
        let film = [begin.clone(), atom(b"moov", &track(b"meta", offset, length, b""))].concat();
        assert_eq!(cleaned("video/mp4", &film), None, "{offset} {length}");
    }
    // Boxes in boxes in boxes.
    let nested = (0..20_000).fold(Vec::new(), |inner: Vec<u8>, depth| {
        if depth % 100 == 0 {
            [(inner.len() as u32 + 8).to_be_bytes().to_vec(), b"trak".to_vec(), inner].concat()
        } else {
            inner
        }
    });
    let film = [begin, atom(b"moov", &nested)].concat();
    assert_eq!(cleaned("video/mp4", &film), None);
}

#[test]
fn a_file_of_nothing_but_small_parts_is_refused_soon() {
    let boxes = atom(b"free", b"").repeat(1 << 18);
    let film = [atom(b"ftyp", b"isom\0\0\0\0isom"), atom(b"moov", &boxes)].concat();
    assert_eq!(cleaned("video/mp4", &film), None);
    let wav = [&b"RIFF\0\0\0\0WAVE"[..], &b"JUNK\0\0\0\0".repeat(1 << 18), b"data\0\0\0\0"].concat();
    assert_eq!(cleaned("audio/wav", &wav), None);
    let mp3 = [&b"ID3\x04\0\0\0\0\0\0".repeat(1 << 18)[..], b"\xff\xfbsound!"].concat();
    assert_eq!(cleaned("audio/mpeg", &mp3), None);
}

#[test]
fn sound_loses_its_tags() {
    let chunk = |kind: &[u8; 4], data: &[u8]| [kind, &(data.len() as u32).to_le_bytes()[..], data].concat();
    let parts = [
        chunk(b"fmt ", &[0; 16]),
        chunk(b"LIST", &[b"INFOIART", SECRET].concat()),
        chunk(b"data", b"sound!"),
    ];
    let wav = [&b"RIFF\0\0\0\0WAVE"[..], &parts.concat()].concat();
    let clean = cleaned("audio/wav", &wav).expect("fine");
    assert!(!tells(&clean) && clean.ends_with(b"sound!") && clean.len() == wav.len());
    let tag = [&b"ID3\x04\0\0\0\0\0"[..], &[SECRET.len() as u8], SECRET].concat();
    let end = [&b"TAG"[..], SECRET, &[0; 99]].concat();
    let mp3 = [&tag[..], b"\xff\xfbsound!", &end].concat();
    let clean = cleaned("audio/mpeg", &mp3).expect("fine");
    assert!(!tells(&clean) && clean.windows(6).any(|w| w == b"sound!") && clean.len() == mp3.len());
}

proptest! {
    /// A picture cut off anywhere is refused, not half cleaned.
    #[test]
    fn what_is_cut_off_is_refused(place in any::<prop::sample::Index>(), kind in 0..4usize) {
        let plain = [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Gif].map(picture);
        let cut = &plain[kind][..place.index(plain[kind].len() - 1)];
        prop_assert_eq!(cleaned(KINDS[kind], cut), None);
    }

    /// Bytes changed anywhere in what a telephone writes: cleaned or refused, never a panic; what is cleaned is clean already.
    #[test]
    fn what_is_bent_is_cleaned_or_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        kind in 0..4usize,
    ) {
        let mut bytes = [photo, drawing, webp, gif][kind]();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Some(clean) = cleaned(KINDS[kind], &bytes) {
            prop_assert_eq!(cleaned(KINDS[kind], &clean), Some(clean));
        }
    }

    /// Any bytes as any kind.
    #[test]
    fn noise_is_no_trouble(bytes in prop::collection::vec(any::<u8>(), 0..600), kind in 0..KINDS.len()) {
        cleaned(KINDS[kind], &bytes);
    }

    /// Noise in the form of boxes.
    #[test]
    fn boxes_of_noise_are_no_trouble(
        boxes in prop::collection::vec(
            (prop::sample::select(vec![b"moov", b"trak", b"mdia", b"hdlr", b"minf", b"stbl", b"stsz", b"stsc", b"stco", b"udta"]), 0..64u32),
            1..40,
        ),
        noise in prop::collection::vec(any::<u8>(), 40),
    ) {
        let bytes = boxes.iter().zip(noise).flat_map(|((kind, size), byte)| {
            [&size.to_be_bytes()[..], &kind[..], &[byte; 3]].concat()
        });
        cleaned("video/mp4", &bytes.collect::<Vec<_>>());
    }
}

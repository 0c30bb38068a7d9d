//! Pictures that tell where they were taken: what cameras write, by crates that know nothing of ours.

use std::io::Cursor;

use exif::experimental::Writer;
use exif::{Field, In, Rational, Tag, Value};
use image::{DynamicImage, ImageFormat, RgbaImage};

/// What must be found nowhere in a clean picture.
pub(crate) const SECRET: &[u8] = b"ZhangSan@34.7879N113.3831E";

/// A picture of many colours, as this format writes it.
pub(crate) fn picture(format: ImageFormat) -> Vec<u8> {
    let image =
        RgbaImage::from_fn(37, 23, |x, y| image::Rgba([x as u8 * 6, y as u8 * 11, (x * y) as u8, 255]));
    let mut bytes = Cursor::new(Vec::new());
    let image = DynamicImage::ImageRgba8(image);
    let image = if format == ImageFormat::Jpeg { image.to_rgb8().into() } else { image };
    image.write_to(&mut bytes, format).expect("written");
    bytes.into_inner()
}

/// What the picture shows.
pub(crate) fn shown(bytes: &[u8]) -> RgbaImage {
    image::load_from_memory(bytes).expect("it is a picture").to_rgba8()
}

/// Exif with a position, a maker, and the camera held upright on its side.
pub(crate) fn exif() -> Vec<u8> {
    let degrees = |d, m, s| [(d, 1), (m, 1), (s, 100)].map(|(num, denom)| Rational { num, denom }).to_vec();
    let text = |text: &[u8]| Value::Ascii(vec![text.to_vec()]);
    let field = |tag, value| Field { tag, ifd_num: In::PRIMARY, value };
    let fields = [
        field(Tag::Orientation, Value::Short(vec![6])),
        field(Tag::Make, text(SECRET)),
        field(Tag::DateTimeOriginal, text(b"2026:03:02 09:00:00")),
        field(Tag::GPSLatitudeRef, text(b"N")),
        field(Tag::GPSLatitude, Value::Rational(degrees(34, 47, 1644))),
        field(Tag::GPSLongitudeRef, text(b"E")),
        field(Tag::GPSLongitude, Value::Rational(degrees(113, 22, 5916))),
    ];
    let (mut writer, mut bytes) = (Writer::new(), Cursor::new(Vec::new()));
    fields.iter().for_each(|field| writer.push_field(field));
    writer.write(&mut bytes, false).expect("written");
    bytes.into_inner()
}

/// The fields of Exif in a picture, as a crate that reads it finds them.
pub(crate) fn fields(picture: &[u8]) -> Vec<(Tag, String)> {
    let found = exif::Reader::new().read_from_container(&mut Cursor::new(picture));
    let text = |f: &Field| (f.tag, f.display_value().to_string());
    found.map(|exif| exif.fields().map(text).collect()).unwrap_or_default()
}

/// A photo as a telephone takes it: Exif, XMP, IPTC, a comment, and a second photo with Exif of its own behind its end.
pub(crate) fn photo() -> Vec<u8> {
    let plain = picture(ImageFormat::Jpeg);
    let segment = |marker: u8, content: &[u8]| {
        let length = (content.len() as u16 + 2).to_be_bytes();
        [&[0xff, marker], &length[..], content].concat()
    };
    let with_exif = |more: &[u8]| {
        let app1 = segment(0xe1, &[b"Exif\0\0", exif().as_slice()].concat());
        [&plain[..2], &app1, more, &plain[2..]].concat()
    };
    let more = [
        segment(0xe1, &[b"http://ns.adobe.com/xap/1.0/\0", SECRET].concat()),
        segment(0xed, &[b"Photoshop 3.0\0", SECRET].concat()),
        segment(0xfe, SECRET),
    ];
    [with_exif(&more.concat()), with_exif(&[])].concat()
}

/// A PNG with texts, a time and Exif.
pub(crate) fn drawing() -> Vec<u8> {
    let plain = picture(ImageFormat::Png);
    let chunk = |kind: &[u8; 4], data: &[u8]| {
        [&(data.len() as u32).to_be_bytes()[..], kind, data, &crc(&[kind, data].concat()).to_be_bytes()]
            .concat()
    };
    let more = [
        chunk(b"tEXt", &[b"Author\0", SECRET].concat()),
        chunk(b"iTXt", &[b"XML:com.adobe.xmp\0\0\0\0\0", SECRET].concat()),
        chunk(b"eXIf", &exif()),
        chunk(b"quRk", SECRET),
    ];
    // Behind the header, which is 8 + 25 bytes; and behind the end.
    [&plain[..33], &more.concat(), &plain[33..], SECRET].concat()
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 })
    })
}

/// A WebP with Exif and XMP, and a GIF with a comment.
pub(crate) fn webp() -> Vec<u8> {
    let plain = picture(ImageFormat::WebP);
    let chunk = |kind: &[u8; 4], data: &[u8]| {
        let padding: &[u8] = if data.len() % 2 == 1 { &[0] } else { &[] };
        [kind, &(data.len() as u32).to_le_bytes()[..], data, padding].concat()
    };
    // 37 by 23 pixels, with Exif and XMP.
    let head = chunk(b"VP8X", &[0x0c, 0, 0, 0, 36, 0, 0, 22, 0, 0]);
    let body = [b"WEBP", &head[..], &plain[12..], &chunk(b"EXIF", &exif()), &chunk(b"XMP ", SECRET)].concat();
    [b"RIFF", &(body.len() as u32).to_le_bytes()[..], &body].concat()
}

/// A GIF with a comment and XMP.
pub(crate) fn gif() -> Vec<u8> {
    let plain = picture(ImageFormat::Gif);
    let blocks = |data: &[u8]| [&[data.len() as u8][..], data, &[0]].concat();
    let comment = [&[0x21, 0xfe][..], &blocks(SECRET)].concat();
    let xmp = [&[0x21, 0xff, 11][..], b"XMP DataXMP", &blocks(SECRET)].concat();
    let end = plain.len() - 1;
    [&plain[..end], &comment, &xmp, &plain[end..], SECRET].concat()
}

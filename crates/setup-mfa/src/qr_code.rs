//! A QR code as two pictures that a page can show without a further request.

use std::{error::Error, io::Cursor};

use base64::{Engine, engine::general_purpose::STANDARD};
use png::{BitDepth, ColorType, Compression, Encoder};
use qrcode::{EcLevel, render::svg};

/// Pixels of a module's side: small enough for a page, large enough for a camera at a screen.
const MODULE_PIXELS: u32 = 6;

/// The light margin in modules that ISO/IEC 18004 asks for.
const QUIET_ZONE: usize = 4;

/// The pictures, as `data:` URIs.
pub(crate) struct QrCode {
    pub(crate) svg: String,
    pub(crate) png: String,
}

impl QrCode {
    /// Draws `text`. The lowest level of correction makes the largest modules, and a screen has no
    /// scratches.
    pub(crate) fn of(text: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let code = qrcode::QrCode::with_error_correction_level(text, EcLevel::L)?;
        let svg = code
            .render::<svg::Color<'_>>()
            .module_dimensions(MODULE_PIXELS, MODULE_PIXELS)
            .build();
        Ok(Self {
            svg: data_uri("image/svg+xml", svg.as_bytes()),
            png: data_uri("image/png", &png(&code)?),
        })
    }
}

/// One bit a pixel: light is one.
fn png(code: &qrcode::QrCode) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
    let modules = code.width() + 2 * QUIET_ZONE;
    let scale = usize::try_from(MODULE_PIXELS)?;
    let is_light = |x: usize, y: usize| {
        let inside = |at: usize| at.checked_sub(QUIET_ZONE).filter(|at| *at < code.width());
        match (inside(x), inside(y)) {
            (Some(x), Some(y)) => code[(x, y)] == qrcode::Color::Light,
            _ => true,
        }
    };
    let pixels = modules * scale;
    let mut rows = Vec::with_capacity(pixels * pixels.div_ceil(8));
    for y in 0..modules {
        let mut row = vec![0u8; pixels.div_ceil(8)];
        for x in (0..pixels).filter(|x| is_light(x / scale, y)) {
            row[x / 8] |= 0x80 >> (x % 8);
        }
        for _ in 0..scale {
            rows.extend_from_slice(&row);
        }
    }
    let mut picture = Cursor::new(Vec::new());
    let side = u32::try_from(pixels)?;
    let mut encoder = Encoder::new(&mut picture, side, side);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::One);
    encoder.set_compression(Compression::Fast);
    encoder.write_header()?.write_image_data(&rows)?;
    Ok(picture.into_inner())
}

fn data_uri(media_type: &str, bytes: &[u8]) -> String {
    format!("data:{media_type};base64,{}", STANDARD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "otpauth://totp/Latchkey:ada%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Latchkey&algorithm=SHA1&digits=6&period=30";

    fn bytes(data_uri: &str, media_type: &str) -> Vec<u8> {
        let encoded = data_uri
            .strip_prefix(&format!("data:{media_type};base64,"))
            .unwrap();
        STANDARD.decode(encoded).unwrap()
    }

    #[test]
    fn an_independent_scanner_reads_the_png_back() {
        let code = QrCode::of(TEXT).unwrap();
        let png = bytes(&code.png, "image/png");
        let mut decoder = png::Decoder::new(Cursor::new(png));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let (width, height) = (reader.info().width, reader.info().height);
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        let width = usize::try_from(width).unwrap();
        assert_eq!(scan(width, |x, y| pixels[y * width + x]), TEXT);
        assert!(height >= 200);
    }

    #[test]
    fn an_independent_scanner_reads_the_svg_back() {
        let code = QrCode::of(TEXT).unwrap();
        let svg = String::from_utf8(bytes(&code.svg, "image/svg+xml")).unwrap();
        let width = svg.split("width=\"").nth(1).unwrap();
        let width: usize = width.split('"').next().unwrap().parse().unwrap();
        let path = svg.split(" d=\"").nth(1).unwrap();
        let path = path.split('"').next().unwrap();
        let mut pixels = vec![255u8; width * width];
        // Every piece of the path is one rectangle: "M<x> <y>h<width>v<height>H<x>V<y>".
        for piece in path.split('M').skip(1) {
            let numbers: Vec<usize> = piece
                .split(|character: char| !character.is_ascii_digit())
                .filter(|number| !number.is_empty())
                .map(|number| number.parse().unwrap())
                .collect();
            let [left, top, wide, high, ..] = numbers[..] else {
                panic!("{piece} is no rectangle");
            };
            for y in top..top + high {
                pixels[y * width + left..y * width + left + wide].fill(0);
            }
        }
        assert_eq!(scan(width, |x, y| pixels[y * width + x]), TEXT);
    }

    fn scan(side: usize, light: impl Fn(usize, usize) -> u8) -> String {
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(side, side, light);
        let grids = image.detect_grids();
        assert_eq!(grids.len(), 1, "one code");
        grids[0].decode().unwrap().1
    }
}

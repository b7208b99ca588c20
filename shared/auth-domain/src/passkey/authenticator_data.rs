//! The data in which an authenticator describes itself (`WebAuthn` Level 3, section 6.1).

use super::PasskeyName;

/// Hash of the relying party's id, flags, counter.
const FLAGS: usize = 32;
const AAGUID: std::ops::Range<usize> = 37..53;

/// The flag UV: the device asked for a finger, a face or a PIN, not only for a touch.
const USER_VERIFIED: u8 = 0b0000_0100;

/// Whether the authenticator data has the UV flag.
pub(super) fn user_verified(data: &[u8]) -> bool {
    data.get(FLAGS)
        .is_some_and(|flags| flags & USER_VERIFIED != 0)
}

/// The authenticator data within an attestation object. It is the last of the object's three
/// members, since CTAP2 sorts them by length.
pub(super) fn within(attestation_object: &[u8]) -> Option<&[u8]> {
    const NAME: &[u8] = b"\x68authData";
    let start = attestation_object
        .windows(NAME.len())
        .rposition(|window| window == NAME)?;
    let rest = attestation_object.get(start + NAME.len()..)?;
    // A byte string of up to 255 bytes, or of up to 65535 (RFC 8949, section 3.1).
    let (length, data) = match rest {
        [0x58, length, data @ ..] => (usize::from(*length), data),
        [0x59, high, low, data @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), data),
        _ => return None,
    };
    data.get(..length)
}

/// The product name of an authenticator, if the small list below knows it. Makers identify products
/// by the AAGUID; some send an empty one.
pub(super) fn name_of_maker(data: &[u8]) -> Option<PasskeyName> {
    let aaguid = data_encoding::HEXLOWER.encode(data.get(AAGUID)?);
    let (_, name) = MAKERS.iter().find(|(maker, _)| *maker == aaguid)?;
    PasskeyName::parse(name).ok()
}

/// AAGUIDs as their makers have published them for the passkey developers' list.
const MAKERS: [(&str, &str); 13] = [
    (
        "ea9b8d664d011d213ce4b6b48cb575d4",
        "Google Password Manager",
    ),
    ("fbfc3007154e4ecc8c0b6e020557d7bd", "iCloud Keychain"),
    ("adce000235bcc60a648b0b25f1f05503", "Chrome on Mac"),
    ("08987058cadc4b81b6e130de50dcbe96", "Windows Hello"),
    ("9ddd1817af5a4672a2b93e3dd95000a9", "Windows Hello"),
    ("6028b017b1d44c02b4b3afcdafc96bb2", "Windows Hello"),
    ("bada5566a7aa401fbd9645619a55120d", "1Password"),
    ("d548826e79b4db40a3d811116f7e8349", "Bitwarden"),
    ("531126d6e717415c93203d9aa6981239", "Dashlane"),
    ("fdb141b25d84443e8a354698c205a502", "KeePassXC"),
    ("50726f746f6e5061737350726f746f6e", "Proton Pass"),
    ("53414d53554e47000000000000000000", "Samsung Pass"),
    ("0ea242b443c44a1b8b17dd6d0b6baec6", "Keeper"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_is_found_behind_its_name_whatever_stands_before() {
        let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58\x03".to_vec();
        object.extend([1, 2, 3]);
        assert_eq!(within(&object), Some([1, 2, 3].as_slice()));
        object.truncate(object.len() - 1);
        assert_eq!(within(&object), None);
        assert_eq!(within(b"\x68authData"), None);
    }

    #[test]
    fn flags_and_maker_are_read_where_they_are() {
        let mut data = vec![0; 37];
        data[FLAGS] = 0x45;
        assert!(user_verified(&data));
        data[FLAGS] = 0x41;
        assert!(!user_verified(&data) && !user_verified(&[]));
        data.extend(
            data_encoding::HEXLOWER
                .decode(MAKERS[1].0.as_bytes())
                .unwrap(),
        );
        assert_eq!(name_of_maker(&data).unwrap().as_str(), "iCloud Keychain");
        assert!(MAKERS.iter().all(|(aaguid, _)| aaguid.len() == 32));
    }
}

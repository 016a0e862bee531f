//! OpenSSL's traditional encrypted PEM, which `openssl genrsa -des3 -traditional` and every
//! OpenSSL before 3.0 write: key = `EVP_BytesToKey(MD5, password, salt = IV[..8], 1)`.

use aes::{Aes128, Aes192, Aes256};
use cbc::{
    Decryptor,
    cipher::{BlockCipherDecrypt, BlockModeDecrypt, KeyInit, KeyIvInit, block_padding::Pkcs7},
};
use des::TdesEde3;
use md5::{Digest, Md5};
use zeroize::Zeroizing;

use crate::CertError;

/// Decrypts `data` by the value of its `DEK-Info` header.
pub(super) fn decrypt(
    dek_info: &str,
    data: &[u8],
    password: &str,
) -> Result<Zeroizing<Vec<u8>>, CertError> {
    let (algorithm, iv) = dek_info.split_once(',').unwrap_or((dek_info, ""));
    let iv = from_hex(iv.trim()).ok_or_else(|| CertError::Key {
        reason: "its DEK-Info header is malformed".to_owned(),
    })?;
    match algorithm.trim() {
        "DES-EDE3-CBC" => cbc::<TdesEde3>(data, password, &iv, 24),
        "AES-128-CBC" => cbc::<Aes128>(data, password, &iv, 16),
        "AES-192-CBC" => cbc::<Aes192>(data, password, &iv, 24),
        "AES-256-CBC" => cbc::<Aes256>(data, password, &iv, 32),
        other => Err(CertError::Encryption {
            algorithm: other.chars().take(40).collect(),
        }),
    }
}

fn cbc<C: BlockCipherDecrypt + KeyInit>(
    data: &[u8],
    password: &str,
    iv: &[u8],
    key_length: usize,
) -> Result<Zeroizing<Vec<u8>>, CertError> {
    let malformed = || CertError::Key {
        reason: "its DEK-Info header is malformed".to_owned(),
    };
    let salt = iv.get(..8).ok_or_else(malformed)?;
    let key = bytes_to_key(password.as_bytes(), salt, key_length);
    let cipher = Decryptor::<C>::new_from_slices(&key, iv).map_err(|_| malformed())?;
    let mut buffer = Zeroizing::new(data.to_vec());
    let length = cipher
        .decrypt_padded::<Pkcs7>(&mut buffer)
        .map_err(|_| CertError::WrongPassword)?
        .len();
    buffer.truncate(length);
    Ok(buffer)
}

/// `D_i = MD5(D_{i-1} ‖ password ‖ salt)`, concatenated (OpenSSL's `EVP_BytesToKey`, one round).
fn bytes_to_key(password: &[u8], salt: &[u8], length: usize) -> Zeroizing<Vec<u8>> {
    let mut key = Zeroizing::new(Vec::with_capacity(48));
    while key.len() < length {
        let last = Zeroizing::new(
            key.get(key.len().saturating_sub(16)..)
                .unwrap_or(&[])
                .to_vec(),
        );
        let digest = Md5::new()
            .chain_update(&*last)
            .chain_update(password)
            .chain_update(salt);
        key.extend_from_slice(&digest.finalize());
    }
    key.truncate(length);
    key
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()))
        .collect::<Option<_>>()?;
    Some(
        digits
            .chunks(2)
            .map(|pair| pair.iter().fold(0, |byte, d| (byte << 4) | d))
            .collect(),
    )
}

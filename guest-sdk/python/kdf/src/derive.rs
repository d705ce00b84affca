//! PBKDF2 (RFC 8018, section 5.2) and scrypt (RFC 7914).

use crate::python::{
    Object, Raised, arguments, bytes, no_memory, number, octets, returned, value_error,
};
use alloc::vec::Vec;
use md5::Md5;
use pbkdf2::pbkdf2_hmac;
use scrypt::Params;
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512, Sha512_224, Sha512_256};
use sha3::{Sha3_224, Sha3_256, Sha3_384, Sha3_512};

/// `pbkdf2(hash, password, salt, iterations, length)`, the name of the hash as bytes.
pub extern "C" fn pbkdf2(_: Object, given: *const Object, count: isize) -> Object {
    returned(
        arguments(given, count).and_then(|&[hash, password, salt, rounds, length]| {
            let (password, salt, rounds) = (octets(password)?, octets(salt)?, number(rounds)?);
            let derive = match octets(hash)? {
                b"md5" => pbkdf2_hmac::<Md5>,
                b"sha1" => pbkdf2_hmac::<Sha1>,
                b"sha224" => pbkdf2_hmac::<Sha224>,
                b"sha256" => pbkdf2_hmac::<Sha256>,
                b"sha384" => pbkdf2_hmac::<Sha384>,
                b"sha512" => pbkdf2_hmac::<Sha512>,
                b"sha512_224" => pbkdf2_hmac::<Sha512_224>,
                b"sha512_256" => pbkdf2_hmac::<Sha512_256>,
                b"sha3_224" => pbkdf2_hmac::<Sha3_224>,
                b"sha3_256" => pbkdf2_hmac::<Sha3_256>,
                b"sha3_384" => pbkdf2_hmac::<Sha3_384>,
                b"sha3_512" => pbkdf2_hmac::<Sha3_512>,
                _ => return Err(value_error(c"unsupported hash type")),
            };
            bytes(number(length)?, |key| {
                derive(password, salt, rounds, key);
                Ok(())
            })
        }),
    )
}

/// `scrypt(password, salt, log_n, r, p, length)`.
pub extern "C" fn scrypt(_: Object, given: *const Object, count: isize) -> Object {
    returned(
        arguments(given, count).and_then(|&[password, salt, log_n, r, p, length]| {
            let (password, salt) = (octets(password)?, octets(salt)?);
            let (log_n, r, p) = (number(log_n)?, number(r)?, number(p)?);
            let length = number(length)?;
            let params = u8::try_from(log_n)
                .ok()
                .and_then(|log_n| Params::new(log_n, r, p, Params::RECOMMENDED_LEN).ok())
                .ok_or_else(|| value_error(c"invalid combination of n, r and p"))?;
            has_memory(log_n, r, p)?;
            bytes(length, |key| {
                let derived = scrypt::scrypt(password, salt, &params, key);
                derived.map_err(|_| {
                    value_error(c"dklen must be greater than 0 and smaller than 2 ** 31")
                })
            })
        }),
    )
}

/// That there is as much memory as is needed: where there is not the derivation itself would
/// end the guest. There is one thread, so what is free now is free then.
fn has_memory(log_n: u32, r: u32, p: u32) -> Result<(), Raised> {
    let block = 128 * u64::from(r);
    let needed = (block << log_n) + block * (u64::from(p) + 2);
    let needed = usize::try_from(needed).map_err(|_| no_memory())?;
    let mut room = Vec::<u8>::new();
    room.try_reserve_exact(needed).map_err(|_| no_memory())
}

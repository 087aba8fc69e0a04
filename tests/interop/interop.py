# SPDX-License-Identifier: Apache-2.0
"""Our envelopes against an independent stack (cbor2, pycose, cryptography), in both directions.

Usage: interop.py OTA_TINYML MODEL PAYLOAD_PEER
"""
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile

import cbor2
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap
from pycose.headers import KID, Algorithm
from pycose.algorithms import Es256
from pycose.keys import EC2Key
from pycose.keys.curves import P256
from pycose.messages import Sign1Message

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
TOOL, MODEL, PEER = sys.argv[1:4]
ENVIRONMENT = dict(os.environ, OTA_TINYML_PASSPHRASE="interop")
KDF_CONTEXT = cbor2.dumps([-3, [None] * 3, [None] * 3, [128, bytes.fromhex("a101381c"), b"SUIT Payload Encryption"]])


def run(*arguments, expected=0, environment=None):
    result = subprocess.run([TOOL, *arguments], env=environment or ENVIRONMENT, capture_output=True, text=True)
    assert result.returncode == expected, (arguments, result.returncode, result.stderr)
    return result.stdout if expected == 0 else result.stderr


def load_private(path):
    with open(path, "rb") as file:
        return serialization.load_pem_private_key(file.read(), b"interop")


def cose_key(private):
    public = private.public_key().public_numbers()
    scalar = private.private_numbers().private_value
    return EC2Key(crv=P256, x=public.x.to_bytes(32, "big"), y=public.y.to_bytes(32, "big"),
                  d=scalar.to_bytes(32, "big"))


def key_id(private):
    public = private.public_key().public_numbers()
    return hashlib.sha256(public.x.to_bytes(32, "big") + public.y.to_bytes(32, "big")).digest()[:8]


def read_envelope(path):
    """Decodes an envelope of ours and checks that it is in canonical form."""
    with open(path, "rb") as file:
        data = file.read()
    envelope = cbor2.loads(data)
    assert envelope.tag == 107
    assert cbor2.dumps(envelope, canonical=True) == data
    return envelope.value


def verify_ours(envelope, private):
    blocks = cbor2.loads(envelope[2])
    digest = cbor2.loads(blocks[0])
    assert digest == [-16, hashlib.sha256(cbor2.dumps(envelope[3])).digest()]
    message = Sign1Message.decode(blocks[1])
    assert message.phdr[Algorithm] == Es256 and message.uhdr[KID] == key_id(private)
    message.payload = blocks[0]
    message.key = cose_key(private)
    assert message.verify_signature()
    manifest = cbor2.loads(envelope[3])
    assert cbor2.dumps(manifest, canonical=True) == envelope[3]
    return manifest


def check_ours(folder, private):
    run("publish", MODEL, "--name", "kws", "--version", "1.2.0", "--sequence", "7", "--vendor", "example.com",
        "--class", "board-a", "--key", f"{folder}/release", "-o", f"{folder}/ours")
    manifest = verify_ours(read_envelope(f"{folder}/ours.suit"), private)
    assert manifest[1] == 1 and manifest[2] == 7
    common = cbor2.loads(manifest[3])
    assert common[2] == [[b"\x01", b"kws"]]
    shared = cbor2.loads(common[4])
    parameters = shared[1]
    with open(MODEL, "rb") as file:
        model = file.read()
    assert cbor2.loads(parameters[3]) == [-16, hashlib.sha256(model).digest()]
    assert parameters[14] == len(model)
    assert parameters[1].hex() == "cfbff0d193755685968c48ce8b15ae17"
    assert cbor2.loads(parameters[-257])[1] == "1.2.0"


def sign_theirs(manifest, private, lower_s=True):
    """An envelope made by the other stack. Its library signs with either s; the rule is ours."""
    digest = cbor2.dumps([-16, hashlib.sha256(cbor2.dumps(manifest)).digest()])
    message = Sign1Message(phdr={Algorithm: Es256}, uhdr={KID: key_id(private)}, payload=digest)
    message.key = cose_key(private)
    message.encode()
    signature = message.compute_signature()
    s = int.from_bytes(signature[32:], "big")
    if (s > ORDER // 2) == lower_s:
        s = ORDER - s
    signature = signature[:32] + s.to_bytes(32, "big")
    block = cbor2.dumps(cbor2.CBORTag(18, [message.phdr_encoded, {4: key_id(private)}, None, signature]))
    return cbor2.dumps(cbor2.CBORTag(107, {2: cbor2.dumps([digest, block]), 3: manifest}), canonical=True)


def make_manifest():
    shared = [20, {1: bytes.fromhex("cfbff0d193755685968c48ce8b15ae17"),
                   2: bytes.fromhex("5f36311295cf534fa3d1fc8ef6f4962a"),
                   3: cbor2.dumps([-16, hashlib.sha256(b"image").digest()]), 14: 5, 27: 1,
                   -257: cbor2.dumps({1: "2.0", 8: bytes([3, 9]), 9: {0: 20000}}, canonical=True)}, 1, 15, 2, 15]
    common = {2: [[b"\x01", b"kws"]], 4: cbor2.dumps(shared, canonical=True)}
    install = [20, {21: "/models/kws.bin"}, 21, 2, 3, 15]
    return cbor2.dumps({1: 1, 2: 9, 3: cbor2.dumps(common, canonical=True), 7: cbor2.dumps([3, 15]),
                        20: cbor2.dumps(install)}, canonical=True)


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)
    return path


def check_theirs(folder, private):
    manifest = make_manifest()
    theirs = write(f"{folder}/theirs.suit", sign_theirs(manifest, private))
    read = json.loads(run("manifest", theirs, "--root", f"{folder}/root"))
    assert read["is_verified"] and read["sequence_number"] == 9 and read["version"] == "2.0", read
    assert read["model"]["arena_bytes"]["0"] == 20000 and read["priority"] == 1, read
    upper = write(f"{folder}/upper.suit", sign_theirs(manifest, private, lower_s=False))
    assert "SignatureMalleated" in run("manifest", upper, "--root", f"{folder}/root", expected=1)
    stranger = ec.generate_private_key(ec.SECP256R1())
    other = write(f"{folder}/other.suit", sign_theirs(manifest, stranger))
    assert "SignerUnknown" in run("manifest", other, "--root", f"{folder}/root", expected=1)


def check_encryption(folder, private):
    run("publish", MODEL, "--name", "kws", "--version", "1", "--vendor", "example.com", "--class", "board-a",
        "--key", f"{folder}/release", "--encrypt-for", f"{folder}/device.pub", "-o", f"{folder}/sealed")
    manifest = verify_ours(read_envelope(f"{folder}/sealed.suit"), private)
    info = cbor2.loads(cbor2.loads(manifest[20])[1][19])
    assert info.tag == 96
    _, unprotected, _, recipients = info.value
    _, header, wrapped = recipients[0]
    device = load_private(f"{folder}/device")
    assert header[4] == key_id(device)
    ephemeral = ec.EllipticCurvePublicNumbers(int.from_bytes(header[-1][-2], "big"),
                                              int.from_bytes(header[-1][-3], "big"), ec.SECP256R1()).public_key()
    secret = device.exchange(ec.ECDH(), ephemeral)
    wrapping = HKDF(algorithm=hashes.SHA256(), length=16, salt=None, info=KDF_CONTEXT).derive(secret)
    content_key = aes_key_unwrap(wrapping, wrapped)
    with open(f"{folder}/sealed.bin", "rb") as file:
        payload = file.read()
    opened = Cipher(algorithms.AES(content_key), modes.CTR(unprotected[5])).decryptor().update(payload)
    with open(MODEL, "rb") as file:
        assert opened == file.read()


def coordinates(public):
    numbers = public.public_numbers()
    return numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")


def derive(private, public):
    secret = private.exchange(ec.ECDH(), public)
    return HKDF(algorithm=hashes.SHA256(), length=16, salt=None, info=KDF_CONTEXT).derive(secret)


def open_theirs(info, payload, distribution, key):
    """Opens what our code has sealed, having checked each header."""
    message = cbor2.loads(info)
    assert message.tag == 96 and cbor2.dumps(message, canonical=True) == info
    protected, unprotected, ciphertext, [[header, wrapping_header, wrapped]] = message.value
    assert ciphertext is None and wrapping_header[4] == b"peer-key"
    if distribution == "wrap":
        assert header == b"" and wrapping_header[1] == -3
        content_key = aes_key_unwrap(key, wrapped)
    else:
        assert cbor2.loads(header) == {1: -29}
        point = wrapping_header[-1]
        assert point[1] == 2 and point[-1] == 1
        ephemeral = ec.EllipticCurvePublicNumbers(int.from_bytes(point[-2], "big"), int.from_bytes(point[-3], "big"),
                                                  ec.SECP256R1()).public_key()
        content_key = aes_key_unwrap(derive(key, ephemeral), wrapped)
    if protected:
        assert cbor2.loads(protected) == {1: 1}
        return AESGCM(content_key).decrypt(unprotected[5], payload, cbor2.dumps(["Encrypt", protected, b""]))
    assert unprotected[1] == -65534
    return Cipher(algorithms.AES(content_key), modes.CTR(unprotected[5])).decryptor().update(payload)


def seal_for_ours(image, cipher, distribution, key):
    content_key = os.urandom(16)
    if distribution == "wrap":
        recipient = [b"", {1: -3, 4: b"peer-key"}, aes_key_wrap(key, content_key)]
    else:
        ephemeral = ec.generate_private_key(ec.SECP256R1())
        x, y = coordinates(ephemeral.public_key())
        recipient = [cbor2.dumps({1: -29}), {4: b"peer-key", -1: {1: 2, -1: 1, -2: x, -3: y}},
                     aes_key_wrap(derive(ephemeral, key.public_key()), content_key)]
    if cipher == "gcm":
        protected, iv = cbor2.dumps({1: 1}), os.urandom(12)
        unprotected = {5: iv}
        payload = AESGCM(content_key).encrypt(iv, image, cbor2.dumps(["Encrypt", protected, b""]))
    else:
        protected, iv = b"", os.urandom(16)
        unprotected = {1: -65534, 5: iv}
        payload = Cipher(algorithms.AES(content_key), modes.CTR(iv)).encryptor().update(image)
    info = cbor2.dumps(cbor2.CBORTag(96, [protected, unprotected, None, [recipient]]), canonical=True)
    return info, payload


def check_payloads(folder):
    """Both ciphers with both ways to get the content key: ours opened by theirs, theirs by the device's code."""
    os.mkdir(f"{folder}/payloads")
    folder = f"{folder}/payloads"
    with open(MODEL, "rb") as file:
        image = file.read()[:4099]
    write(f"{folder}/image", image)

    def peer(action, cipher, distribution, key, expected=0):
        command = [PEER, action, cipher, distribution, key.hex(), b"peer-key".hex(), folder]
        assert subprocess.run(command, capture_output=True).returncode == expected, command

    for cipher in ("ctr", "gcm"):
        for distribution in ("wrap", "ecdh"):
            if distribution == "wrap":
                key = os.urandom(16)
                for_sealing = for_opening = key
            else:
                key = ec.generate_private_key(ec.SECP256R1())
                for_sealing = b"".join(coordinates(key.public_key()))
                for_opening = key.private_numbers().private_value.to_bytes(32, "big")
            peer("seal", cipher, distribution, for_sealing)
            with open(f"{folder}/info", "rb") as info, open(f"{folder}/payload", "rb") as payload:
                assert open_theirs(info.read(), payload.read(), distribution, key) == image, (cipher, distribution)
            info, payload = seal_for_ours(image, cipher, distribution, key)
            write(f"{folder}/info", info)
            write(f"{folder}/payload", payload)
            peer("open", "-", distribution, for_opening)
            with open(f"{folder}/opened", "rb") as opened:
                assert opened.read() == image, (cipher, distribution)
            write(f"{folder}/info", info[:-1] + bytes([info[-1] ^ 1]))
            peer("open", "-", distribution, for_opening, expected=1)


def check_token(folder):
    """A release key that never leaves its token signs; the other stack verifies. And passphrases from a file."""
    if shutil.which("softhsm2-util") is None:
        print("keys in tokens: skipped, softhsm2 is not installed")
        return
    os.mkdir(f"{folder}/tokens")
    write(f"{folder}/softhsm2.conf", f"directories.tokendir = {folder}/tokens\n".encode())
    write(f"{folder}/pin", b"1234\n")
    write(f"{folder}/wrong", b"9999\n")
    environment = dict(os.environ, SOFTHSM2_CONF=f"{folder}/softhsm2.conf", OTA_TINYML_PASSPHRASE_FILE=f"{folder}/pin")
    subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", "publisher", "--pin", "1234", "--so-pin",
                    "5678"], env=environment, check=True, capture_output=True)
    key = "pkcs11:token=publisher;object=release"
    run("key", "generate", key, environment=environment)
    assert "exists already" in run("key", "generate", key, environment=environment, expected=1)
    wrong = dict(environment, OTA_TINYML_PASSPHRASE_FILE=f"{folder}/wrong")
    assert "wrong PIN" in run("key", "show", key, environment=wrong, expected=1)
    pem = run("key", "show", key, "--pem", environment=environment)
    write(f"{folder}/token.pub", pem.encode())
    run("publish", MODEL, "--name", "kws", "--version", "1", "--vendor", "example.com", "--class", "board-a", "--key",
        key, "-o", f"{folder}/token", environment=environment)
    public = serialization.load_pem_public_key(pem.encode())
    numbers = public.public_numbers()
    x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
    blocks = cbor2.loads(read_envelope(f"{folder}/token.suit")[2])
    message = Sign1Message.decode(blocks[1])
    message.payload = blocks[0]
    message.key = EC2Key(crv=P256, x=x, y=y)
    assert message.verify_signature()


def main():
    with tempfile.TemporaryDirectory() as folder:
        for name in ("root1", "release", "freshness", "device"):
            run("key", "generate", f"{folder}/{name}")
        run("trust", "init", "--root", f"{folder}/root1.pub", "--threshold", "1", "--freshness",
            f"{folder}/freshness.pub", "--release", f"{folder}/release.pub:kws", "--sign", f"{folder}/root1", "-o",
            f"{folder}/root")
        private = load_private(f"{folder}/release")
        check_ours(folder, private)
        check_theirs(folder, private)
        check_encryption(folder, private)
        check_payloads(folder)
        check_token(folder)
    print("interoperability: ours read by theirs, theirs by ours; sealed by us and opened by them, and the other way")


main()

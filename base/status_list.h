// SPDX-License-Identifier: Apache-2.0
#pragma once

// The one list of status codes. It is extend-only: a code, once released, keeps its number and its
// meaning for ever, since devices report numbers. The high byte is the module that raises it first.
//
// Each row: name, number, module, one sentence that says what happened. docs/status.md is made from
// this list by `ota-tinyml status`.
#define OTA_STATUS_LIST(X)                                                                        \
  X(kOk, 0x0000, "base", "The operation did what it was asked to do.")                            \
  X(kBusy, 0x0001, "base", "The thing is still at work on an earlier request; try again later.")  \
  X(kInvalidArgument, 0x0002, "base", "The caller broke a precondition; nothing was done.")       \
  X(kOutOfRange, 0x0003, "base", "An offset or length lies outside of the thing it indexes.")     \
  X(kBufferTooSmall, 0x0004, "base", "The buffer that the caller gave cannot hold the result.")   \
  X(kEndOfInput, 0x0005, "base", "The input ended before the value that was expected.")           \
  X(kNotSupported, 0x0006, "base", "The request is well formed, but this build cannot do it.")    \
  X(kWrongState, 0x0007, "base", "The object is not in the state that this operation needs.")     \
  X(kNotFound, 0x0008, "base", "No thing of that name exists.")                                   \
  X(kAlreadyExists, 0x0009, "base", "A thing of that name exists already.")                       \
                                                                                                  \
  X(kDigestMismatch, 0x0101, "crypto", "The bytes do not have the digest they should have.")      \
  X(kEntropyUnavailable, 0x0102, "crypto", "The source of randomness failed.")                    \
  X(kSignatureInvalid, 0x0103, "crypto",                                                          \
    "The signature was not made by this key over these bytes.")                                   \
  X(kSignatureMalleated, 0x0104, "crypto",                                                        \
    "The signature has the form that our rule refuses (upper s).")                                \
  X(kKeyInvalid, 0x0105, "crypto", "The key is no valid key of its curve.")                       \
  X(kDecryptionFailed, 0x0106, "crypto",                                                          \
    "The key does not open these bytes, or they were changed.")                                   \
  X(kCryptoMemoryFull, 0x0107, "crypto", "The memory of the cryptographic library is used up.")   \
                                                                                                  \
  X(kNotAModel, 0x0201, "formats", "The bytes are not a TensorFlow Lite flatbuffer.")             \
  X(kModelMalformed, 0x0202, "formats", "The flatbuffer breaks a structural rule of its format.") \
  X(kModelTruncated, 0x0203, "formats",                                                           \
    "The flatbuffer refers to bytes past the end of the file.")                                   \
  X(kModelTooLarge, 0x0204, "formats", "A count in the model exceeds what this build handles.")   \
  X(kCborMalformed, 0x0220, "formats", "The bytes are not well-formed CBOR.")                     \
  X(kCborNotDeterministic, 0x0221, "formats", "The CBOR is not in its one deterministic form.")   \
  X(kCborTypeUnexpected, 0x0222, "formats",                                                       \
    "Another CBOR type stands where the format wants one.")                                       \
  X(kCborTooDeep, 0x0223, "formats", "The CBOR is nested deeper than this build follows.")        \
  X(kCborTrailingBytes, 0x0224, "formats", "Bytes follow where the format has ended.")            \
  X(kCborOutOfRange, 0x0225, "formats", "A number or length exceeds what its field allows.")      \
  X(kSignatureAlgorithmRefused, 0x0230, "formats",                                                \
    "The message is signed with another algorithm than ES256, or with none.")                     \
  X(kCoseHeaderRefused, 0x0231, "formats",                                                        \
    "A COSE header has a part that this build may not ignore.")                                   \
  X(kCoseRecipientMissing, 0x0232, "formats", "The payload is not encrypted for this device.")    \
  X(kManifestMalformed, 0x0240, "formats",                                                        \
    "A value in the manifest is one that its field cannot have.")                                 \
  X(kManifestPartUnknown, 0x0241, "formats",                                                      \
    "The manifest has a part that this build does not know.")                                     \
  X(kManifestIncomplete, 0x0242, "formats", "The manifest lacks a part that each must have.")     \
  X(kManifestVersionUnknown, 0x0243, "formats",                                                   \
    "The manifest is of another version of the format.")                                          \
  X(kEnvelopePartUnknown, 0x0244, "formats",                                                      \
    "The envelope has a part that nobody signed and nobody asked for.")                           \
  X(kSignatureMissing, 0x0245, "formats", "Nobody has signed.")                                   \
  X(kPayloadMissing, 0x0246, "formats",                                                           \
    "The payload that the manifest names is not in the envelope.")                                \
  X(kSignerUnknown, 0x0260, "formats",                                                            \
    "The signature was made by none of the keys that are trusted for it.")                        \
  X(kSignerNotDelegated, 0x0261, "formats",                                                       \
    "The signer may not sign for this component or class.")                                       \
  X(kThresholdNotMet, 0x0262, "formats", "Fewer keys have signed than the role asks for.")        \
  X(kSequenceTooLow, 0x0263, "formats",                                                           \
    "The sequence number is not above the one that was accepted before.")                         \
  X(kManifestExpired, 0x0264, "formats",                                                          \
    "The manifest was to be used before a time that has passed.")                                 \
  X(kTimeUnknown, 0x0265, "formats", "The manifest expires, and the time is not known.")          \
  X(kVendorMismatch, 0x0266, "formats", "The manifest is for a device of another vendor.")        \
  X(kClassMismatch, 0x0267, "formats", "The manifest is for a device of another class.")          \
  X(kDeviceMismatch, 0x0268, "formats", "The manifest is for another device.")                    \
  X(kComponentUnknown, 0x0269, "formats", "The device has no component of that kind.")            \
  X(kMemoryUnitMismatch, 0x026A, "formats",                                                       \
    "The device has no such memory unit or slot for the component.")                              \
  X(kImageTooLarge, 0x026B, "formats", "The image is larger than the place it is meant for.")     \
  X(kEngineTooOld, 0x026C, "formats", "The model needs a newer engine than the device has.")      \
  X(kPrecursorMismatch, 0x026D, "formats",                                                        \
    "The image that must be installed before is not the installed one.")                          \
  X(kBatteryTooLow, 0x026E, "formats", "The battery holds less than the manifest asks for.")      \
  X(kSequenceWithheld, 0x026F, "formats",                                                         \
    "A newer release than the offered one is known to exist.")                                    \
  X(kRootMetadataInvalid, 0x0270, "formats", "The root metadata breaks a rule of its format.")    \
  X(kRootVersionWrong, 0x0271, "formats",                                                         \
    "The root metadata does not follow the held one by exactly one.")                             \
  X(kRootExpired, 0x0272, "formats", "The root metadata has expired.")                            \
  X(kNonceMismatch, 0x0273, "formats",                                                            \
    "The freshness statement answers another question than the one asked.")                       \
  X(kFreshnessStale, 0x0274, "formats",                                                           \
    "The freshness statement is older than one accepted before.")                                 \
  X(kRootOutdated, 0x0275, "formats",                                                             \
    "The server knows newer root metadata than the device holds.")                                \
  X(kTrustStateInvalid, 0x0276, "formats", "The stored trust state breaks a rule of its format.") \
  X(kTrustStateFull, 0x0277, "formats", "The trust state has no room for one more component.")    \
  X(kNotLogged, 0x0278, "formats",                                                                \
    "It is not proved that the envelope is in the transparency log.")                             \
                                                                                                  \
  X(kUnknownOperator, 0x0301, "engine", "The model uses an operator that is not in the table.")   \
  X(kUnsupportedType, 0x0302, "engine", "An operator has no kernel for its tensor types.")        \
  X(kUnsupportedShape, 0x0303, "engine", "A tensor has a shape that the operator cannot take.")   \
  X(kUnsupportedQuantization, 0x0304, "engine",                                                   \
    "Scales or zero points break the operator's rule.")                                           \
  X(kArenaTooSmall, 0x0305, "engine", "The arena is smaller than the model's plan needs.")        \
  X(kInputSizeWrong, 0x0306, "engine", "The input has not as many bytes as the tensor.")          \
  X(kNotConstant, 0x0307, "engine", "An operand that must be constant is computed by the model.") \
                                                                                                  \
  X(kStorageFull, 0x0401, "storage", "The memory unit has not enough free space.")                \
  X(kNotErased, 0x0402, "storage", "Programming would set a bit that only an erase can set.")     \
  X(kMisaligned, 0x0403, "storage", "Offset or length is no multiple of the unit it must have.")  \
  X(kCorrupted, 0x0404, "storage", "What lies on the medium breaks the rules of its format.")     \
  X(kMediumFailed, 0x0405, "storage", "The memory unit reported an error of its own.")            \
  X(kNameInvalid, 0x0406, "storage",                                                              \
    "The name is empty, too long or has a character not allowed.")                                \
  X(kTooManyOpen, 0x0407, "storage", "As many images are open as can be; close one first.")       \
                                                                                                  \
  X(kHostNotFound, 0x0501, "agent", "The server's name does not resolve to an address.")          \
  X(kConnectionRefused, 0x0502, "agent", "Nobody listens at the server's address and port.")      \
  X(kConnectionLost, 0x0503, "agent", "The connection ended before the exchange was complete.")   \
  X(kTimedOut, 0x0504, "agent", "The peer made no progress within its time.")                     \
  X(kCertificateUntrusted, 0x0505, "agent", "The server's certificate has no trusted issuer.")    \
  X(kHostNameMismatch, 0x0506, "agent", "The server's certificate is for another host name.")     \
  X(kTlsFailed, 0x0507, "agent", "The TLS handshake or record layer failed.")                     \
  X(kHttpMalformed, 0x0508, "agent", "The peer's answer is not well-formed HTTP/1.1.")            \
  X(kHttpStatusUnexpected, 0x0509, "agent", "The server answered with a status of refusal.")      \
  X(kPayloadTooLarge, 0x050A, "agent", "The server sends more bytes than were announced.")        \
  X(kArtifactChanged, 0x050B, "agent", "The artifact changed at the server during a resume.")     \
  X(kCertificateExpired, 0x050C, "agent", "The server's certificate is past its last day.")       \
  X(kCertificateNotYetValid, 0x050D, "agent",                                                     \
    "The server's certificate is before its first day; or the device's clock is wrong.")          \
  X(kHttpHeadTooLarge, 0x050E, "agent", "The answer's header section is larger than allowed.")    \
  X(kHttpLengthUnknown, 0x050F, "agent", "The answer does not announce the length of its body.")  \
  X(kTlsMemoryExhausted, 0x0510, "agent", "The memory given to TLS is too small for the peer.")   \
  X(kUrlInvalid, 0x0511, "agent", "The server's address is not https://HOST[:PORT].")             \
  X(kDigestUnknown, 0x0512, "agent", "Neither manifest nor server say the artifact's digest.")    \
  X(kImageSizeMismatch, 0x0513, "agent", "The artifact has another size than its manifest says.") \
  X(kTrustAnchorInvalid, 0x0514, "agent",                                                         \
    "The certificate to trust cannot be read as PEM or DER.")                                     \
  X(kSelfTestFailed, 0x0515, "agent", "A self-test gave another output than its manifest says.")  \
  X(kAttemptsExhausted, 0x0516, "agent", "The release has failed as often as it may within a day.")

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

// The numbers of the IANA SUIT registries that our profile uses (draft-ietf-suit-manifest and
// -update-management), and our own in the private-use space. docs/formats/manifest.md has them all.

namespace ota::formats {

inline constexpr uint64_t kSuitTagEnvelope = 107;

inline constexpr int64_t kSuitEnvelopeAuthentication = 2;
inline constexpr int64_t kSuitEnvelopeManifest = 3;

inline constexpr int64_t kSuitManifestVersion = 1;
inline constexpr int64_t kSuitManifestSequenceNumber = 2;
inline constexpr int64_t kSuitManifestCommon = 3;
inline constexpr int64_t kSuitManifestReferenceUri = 4;
inline constexpr int64_t kSuitManifestValidate = 7;
inline constexpr int64_t kSuitManifestLoad = 8;
inline constexpr int64_t kSuitManifestInvoke = 9;
inline constexpr int64_t kSuitManifestInstall = 20;
inline constexpr int64_t kSuitManifestText = 23;

inline constexpr int64_t kSuitCommonComponents = 2;
inline constexpr int64_t kSuitCommonSharedSequence = 4;

// A condition has the number of the parameter that it checks.
inline constexpr int64_t kSuitVendorId = 1;
inline constexpr int64_t kSuitClassId = 2;
inline constexpr int64_t kSuitImageDigest = 3;
inline constexpr int64_t kSuitUseBefore = 4;
inline constexpr int64_t kSuitComponentSlot = 5;
inline constexpr int64_t kSuitImageSize = 14;
inline constexpr int64_t kSuitEncryptionInfo = 19;
inline constexpr int64_t kSuitUri = 21;
inline constexpr int64_t kSuitDeviceId = 24;
inline constexpr int64_t kSuitMinimumBattery = 26;
inline constexpr int64_t kSuitUpdatePriority = 27;
inline constexpr int64_t kSuitPrivateRequirements = -257;

inline constexpr int64_t kSuitSetComponentIndex = 12;
inline constexpr int64_t kSuitTryEach = 15;
inline constexpr int64_t kSuitOverrideParameters = 20;
inline constexpr int64_t kSuitFetch = 21;
inline constexpr int64_t kSuitInvoke = 23;

inline constexpr int64_t kSuitDigestSha256 = -16;

inline constexpr uint64_t kSuitReportAll = 15;
inline constexpr uint64_t kSuitReportFailure = 2;

// Keys of the map in the private parameter.
inline constexpr int64_t kRequirementsVersion = 1;
inline constexpr int64_t kRequirementsPrecursor = 2;
inline constexpr int64_t kRequirementsEncodings = 3;
inline constexpr int64_t kRequirementsPayloadDigest = 4;
inline constexpr int64_t kRequirementsPayloadSize = 5;
inline constexpr int64_t kRequirementsEngineVersion = 6;
inline constexpr int64_t kRequirementsRounding = 7;
inline constexpr int64_t kRequirementsOperators = 8;
inline constexpr int64_t kRequirementsArenaPlans = 9;
inline constexpr int64_t kRequirementsSelfTests = 10;
inline constexpr int64_t kRequirementsAccuracy = 11;
inline constexpr int64_t kRequirementsCustomOperators = 12;

}  // namespace ota::formats

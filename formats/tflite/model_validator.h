// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/byte_source.h"

namespace ota::formats {

/// Checks the whole structure of a TensorFlow Lite flatbuffer, before anything else looks at it:
/// identifier and version; every table, vtable, vector and string that this project reads lies in
/// the file; every index names a thing that exists; tensor shapes multiply without overflow and
/// constants have exactly the bytes of their shape; scales are finite and positive; constant data
/// do not overlap one another; no subgraph but the first calls another, and none calls the first,
/// so that calls do not recurse.
///
/// Uses no memory but some stack, does not recurse, and takes time linear in the file's length: a
/// file whose parts are shared more often than a flatbuffer of its length could hold is refused.
///
/// kOk; kNotAModel; kModelTruncated: something lies past the end of the file; kModelMalformed: a
/// rule is broken; kModelTooLarge: a count is larger than this build handles; or what the source
/// returned.
Status VerifyModel(ByteSource& source);

}  // namespace ota::formats

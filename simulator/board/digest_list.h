// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

namespace ota::simulator {

/// File name -> its SHA-256 in 64 lower hexadecimal digits.
using DigestList = std::map<std::string, std::string>;

/// Reads what sha256sum writes: 64 hexadecimal digits of either case, a space, one more character
/// and the file's name, in lines that end in LF or CR LF. Lines of another form are passed over; of
/// several for one file the last counts.
DigestList ParseDigestList(const std::string& text);

}  // namespace ota::simulator

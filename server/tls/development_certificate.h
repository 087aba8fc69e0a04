// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "server/expected.h"

namespace ota::server {

/// Where the certificates of a development server lie, in DIR/tls.
struct DevelopmentCertificate {
  std::string ca_path;           ///< ca.pem, to be given to devices and to curl --cacert.
  std::string certificate_path;  ///< server.pem
  std::string key_path;          ///< server.key, mode 0600
  bool is_ca_new = false;        ///< The CA was made by this call.
  bool is_certificate_new = false;
};

/// Sees to a development CA and a P-256 server certificate in `directory`, which is made if
/// missing. The certificate names localhost, 127.0.0.1, ::1, this machine and `host_names` (names
/// and addresses). What is there is kept; the certificate is made anew, by the same CA, when it
/// lacks one of the names or ends within 30 days. Error: the directory or a key cannot be written
/// or read, or the CA itself is about to end.
Expected<DevelopmentCertificate> EnsureDevelopmentCertificate(
    const std::string& directory, const std::vector<std::string>& host_names);

}  // namespace ota::server

// SPDX-License-Identifier: Apache-2.0
#include "server/tls/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace ota::server {

namespace {

constexpr char kTls12Ciphers[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:"
    "ECDHE-ECDSA-AES128-CCM:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-CHACHA20-POLY1305";
constexpr unsigned char kProtocols[] = "\x08http/1.1";

int SelectProtocol(SSL*, const unsigned char** chosen, unsigned char* chosen_bytes,
                   const unsigned char* offered, unsigned int offered_bytes, void*) {
  unsigned char* selected = nullptr;
  const int outcome = SSL_select_next_proto(&selected, chosen_bytes, kProtocols,
                                            sizeof kProtocols - 1, offered, offered_bytes);
  *chosen = selected;
  return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

Error ReadError(const std::string& what, const std::string& path) {
  const int error = access(path.c_str(), R_OK) == 0 ? 0 : errno;
  ERR_clear_error();
  return Error{"cannot read the " + what + " " + path + ": " +
               (error != 0 ? std::strerror(error) : "it is not PEM of that kind") +
               "; see --cert and --key"};
}

bool Configure(SSL_CTX* context) {
  SSL_CTX_set_options(
      context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(context, SelectProtocol, nullptr);
  constexpr unsigned char kSessionId[] = "ota-tinyml";
  return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
         SSL_CTX_set_cipher_list(context, kTls12Ciphers) == 1 &&
         SSL_CTX_set_session_id_context(context, kSessionId, sizeof kSessionId - 1) == 1;
}

}  // namespace

void TlsContextFree::operator()(SSL_CTX* context) const { SSL_CTX_free(context); }

Expected<TlsContext> MakeTlsContext(const std::string& certificate_path,
                                    const std::string& key_path) {
  TlsContext context(SSL_CTX_new(TLS_server_method()));
  if (!context || !Configure(context.get())) return Error{"OpenSSL cannot set up TLS"};
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate_path.c_str()) != 1) {
    return ReadError("certificate", certificate_path);
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), key_path.c_str(), SSL_FILETYPE_PEM) == 1) {
    return context;
  }
  if (ERR_GET_REASON(ERR_peek_last_error()) != X509_R_KEY_VALUES_MISMATCH) {
    return ReadError("private key", key_path);
  }
  ERR_clear_error();
  return Error{"the key " + key_path + " is not the key of the certificate " + certificate_path +
               "; see --cert and --key"};
}

}  // namespace ota::server

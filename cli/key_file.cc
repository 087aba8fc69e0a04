// SPDX-License-Identifier: Apache-2.0
#include "cli/key_file.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <optional>

#include "cli/commands.h"
#include "cli/model_file.h"
#include "crypto/host/pem_key.h"
#include "crypto/host/token_key.h"
#include "formats/trust/root_metadata.h"

namespace ota::cli {
namespace {

constexpr const char* kPassphraseVariable = "OTA_TINYML_PASSPHRASE";
constexpr const char* kPassphraseFileVariable = "OTA_TINYML_PASSPHRASE_FILE";

// Reads a line from the terminal without showing it.
std::string ReadHiddenLine(const std::string& prompt) {
  if (isatty(STDIN_FILENO) == 0) {
    throw CommandError(std::string("no terminal to ask for a passphrase: set ") +
                       kPassphraseVariable);
  }
  termios shown;
  tcgetattr(STDIN_FILENO, &shown);
  termios hidden = shown;
  hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  tcsetattr(STDIN_FILENO, TCSAFLUSH,
            &hidden);  // before it asks, so that no answer is shown or lost
  std::fprintf(stderr, "%s: ", prompt.c_str());
  std::string line;
  std::getline(std::cin, line);
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
  std::fprintf(stderr, "\n");
  return line;
}

std::string ReadText(const std::string& path) {
  const std::vector<uint8_t> bytes = ReadFile(path);
  return std::string(bytes.begin(), bytes.end());
}

[[noreturn]] void ThrowNotWritten(const std::string& path) {
  throw CommandError("cannot write " + path + ": " + std::strerror(errno));
}

std::optional<std::string> FindGivenPassphrase() {
  if (const char* const given = std::getenv(kPassphraseVariable)) return given;
  const char* const path = std::getenv(kPassphraseFileVariable);
  if (path == nullptr) return std::nullopt;
  const std::string text = ReadText(path);
  return text.substr(0, text.find('\n'));
}

std::string PinOf(const std::string& uri) {
  return crypto::HasPin(uri) ? std::string() : AskPassphrase(uri);
}

std::unique_ptr<crypto::SigningKey> TakeTokenKey(const std::string& uri,
                                                 Result<std::unique_ptr<crypto::TokenKey>> key) {
  if (key.ok()) return std::move(*key);
  switch (key.status()) {
    case Status::kInvalidArgument:
      throw CommandError(uri + " is not like pkcs11:token=NAME;object=NAME", 2);
    case Status::kNotFound:
      throw CommandError(uri + " names no key; `p11-tool --list-tokens` lists the tokens");
    case Status::kAlreadyExists:
      throw CommandError(uri + " exists already and is not overwritten; choose another name");
    default:
      throw CommandError(uri + " cannot be used: wrong PIN, or not a key on P-256");
  }
}

}  // namespace

std::string AskPassphrase(const std::string& key_path) {
  if (auto given = FindGivenPassphrase()) return *given;
  return ReadHiddenLine("Passphrase of " + key_path);
}

std::string ChoosePassphrase(const std::string& key_path) {
  if (auto given = FindGivenPassphrase()) return *given;
  const std::string first = ReadHiddenLine("New passphrase for " + key_path);
  if (first.empty()) {
    throw CommandError("the passphrase is empty; say --no-passphrase if that is meant");
  }
  if (first != ReadHiddenLine("The same again")) throw CommandError("the passphrases differ");
  return first;
}

std::unique_ptr<crypto::SigningKey> MakeTokenKey(const std::string& uri) {
  return TakeTokenKey(uri, crypto::TokenKey::Generate(uri, PinOf(uri)));
}

std::unique_ptr<crypto::SigningKey> LoadPrivateKey(const std::string& path) {
  if (!crypto::IsTokenUri(path)) return LoadKeyFile(path);
  return TakeTokenKey(path, crypto::TokenKey::Open(path, PinOf(path)));
}

std::unique_ptr<crypto::PemKey> LoadKeyFile(const std::string& path) {
  const std::string pem = ReadText(path);
  const std::string passphrase = crypto::IsEncryptedPem(pem) ? AskPassphrase(path) : "";
  auto key = crypto::PemKey::FromPem(pem, passphrase);
  if (key.ok()) return std::move(*key);
  throw CommandError(path + " holds no P-256 private key in PEM, or the passphrase is wrong");
}

crypto::P256PublicKey LoadPublicKey(const std::string& path) {
  if (crypto::IsTokenUri(path)) return LoadPrivateKey(path)->public_key();
  const std::string pem = ReadText(path);
  const Result<crypto::P256PublicKey> key = crypto::DecodePublicPem(pem);
  if (key.ok()) return *key;
  if (pem.find("PRIVATE KEY") != std::string::npos) return LoadPrivateKey(path)->public_key();
  throw CommandError(path + " holds no P-256 key in PEM; `ota-tinyml key generate` makes one");
}

std::string FormatKeyId(const crypto::P256PublicKey& key) {
  return crypto::HexText(formats::ComputeKeyId(key));
}

void WriteNewFile(const std::string& path, ByteSpan bytes, FileUse use) {
  const mode_t mode = use == FileUse::kSecret ? 0600 : 0644;
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL, mode);
  if (file < 0 && errno == EEXIST) {
    throw CommandError(path + " exists already and is not overwritten; choose another name");
  }
  if (file < 0) ThrowNotWritten(path);
  size_t written = 0;
  while (written < bytes.size()) {
    const ssize_t count = write(file, bytes.data() + written, bytes.size() - written);
    if (count < 0) break;
    written += static_cast<size_t>(count);
  }
  const bool is_complete = written == bytes.size() && fsync(file) == 0;
  close(file);
  if (is_complete) return;
  unlink(path.c_str());
  ThrowNotWritten(path);
}

void WriteNewFile(const std::string& path, std::string_view text, FileUse use) {
  WriteNewFile(path, ByteSpan(reinterpret_cast<const uint8_t*>(text.data()), text.size()), use);
}

}  // namespace ota::cli

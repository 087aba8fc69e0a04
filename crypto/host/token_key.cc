// SPDX-License-Identifier: Apache-2.0
#include "crypto/host/token_key.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>

#include <algorithm>
#include <array>
#include <vector>

namespace ota::crypto {
namespace {

constexpr std::string_view kScheme = "pkcs11:";
// DER: the object identifier of P-256, and what stands before x and y in a public key.
constexpr std::array<uint8_t, 10> kP256Parameters = {0x06, 0x08, 0x2A, 0x86, 0x48,
                                                     0xCE, 0x3D, 0x03, 0x01, 0x07};
constexpr std::array<uint8_t, 3> kPointHead = {0x04, 0x41, 0x04};

struct UriDeleter {
  void operator()(P11KitUri* uri) const { p11_kit_uri_free(uri); }
};
using Uri = std::unique_ptr<P11KitUri, UriDeleter>;

Uri ParseUri(const std::string& text) {
  Uri uri(p11_kit_uri_new());
  const bool is_uri =
      p11_kit_uri_parse(text.c_str(), P11_KIT_URI_FOR_ANY, uri.get()) == P11_KIT_URI_OK;
  return is_uri ? std::move(uri) : Uri();
}

template <typename T>
CK_ATTRIBUTE AttributeOf(CK_ATTRIBUTE_TYPE type, T& value) {
  return {type, &value, sizeof value};
}

void LowerS(Es256Signature& signature) {
  constexpr int kScalarBytes = static_cast<int>(kP256CoordinateBytes);
  uint8_t* const at = signature.data() + kP256CoordinateBytes;
  EC_GROUP* const group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
  BIGNUM* const s = BN_bin2bn(at, kScalarBytes, nullptr);
  BIGNUM* const other = BN_new();
  BN_sub(other, EC_GROUP_get0_order(group), s);
  if (BN_cmp(s, other) > 0) BN_bn2binpad(other, at, kScalarBytes);
  BN_free(other);
  BN_free(s);
  EC_GROUP_free(group);
}

Status StatusOf(CK_RV result) {
  switch (result) {
    case CKR_OK:
      return Status::kOk;
    case CKR_MECHANISM_INVALID:
    case CKR_FUNCTION_NOT_SUPPORTED:
      return Status::kNotSupported;
    default:
      return Status::kKeyInvalid;
  }
}

}  // namespace

/// The modules are loaded, and a session is open and logged in, as long as it lives.
class TokenKey::Token {
 public:
  explicit Token(Uri uri) : uri_(std::move(uri)) {}
  ~Token() {
    if (session_ != CK_INVALID_HANDLE) functions_->C_CloseSession(session_);
    if (modules_ != nullptr) p11_kit_modules_finalize_and_release(modules_);
    if (own_module_ == nullptr) return;
    p11_kit_module_finalize(own_module_);
    p11_kit_module_release(own_module_);
  }
  Token(const Token&) = delete;
  Token& operator=(const Token&) = delete;

  Status Open(const std::string& pin) {
    OTA_TRY(LoadModules());
    OTA_TRY(FindToken());
    const CK_FLAGS flags = CKF_SERIAL_SESSION | CKF_RW_SESSION;
    OTA_TRY(StatusOf(functions_->C_OpenSession(slot_, flags, nullptr, nullptr, &session_)));
    const char* const value = p11_kit_uri_get_pin_value(uri_.get());
    std::string secret = pin.empty() && value != nullptr ? value : pin;
    const CK_RV result = functions_->C_Login(
        session_, CKU_USER, reinterpret_cast<unsigned char*>(secret.data()), secret.size());
    return result == CKR_USER_ALREADY_LOGGED_IN ? Status::kOk : StatusOf(result);
  }

  /// The one object of that class that the URI names.
  Result<CK_OBJECT_HANDLE> Find(CK_OBJECT_CLASS object_class) {
    std::vector<CK_ATTRIBUTE> wanted = {AttributeOf(CKA_CLASS, object_class)};
    for (const CK_ATTRIBUTE_TYPE type : {CKA_LABEL, CKA_ID}) {
      CK_ATTRIBUTE* const named = p11_kit_uri_get_attribute(uri_.get(), type);
      if (named != nullptr) wanted.push_back(*named);
    }
    if (wanted.size() == 1) return Status::kInvalidArgument;
    OTA_TRY(StatusOf(functions_->C_FindObjectsInit(session_, wanted.data(), wanted.size())));
    CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;
    unsigned long count = 0;
    const CK_RV result = functions_->C_FindObjects(session_, &handle, 1, &count);
    functions_->C_FindObjectsFinal(session_);
    OTA_TRY(StatusOf(result));
    return count == 1 ? Result<CK_OBJECT_HANDLE>(handle) : Status::kNotFound;
  }

  Result<P256PublicKey> ReadPublicKey(CK_OBJECT_HANDLE handle) {
    std::array<uint8_t, kP256Parameters.size()> parameters = {};
    std::array<uint8_t, kPointHead.size() + sizeof(P256PublicKey)> point = {};
    CK_ATTRIBUTE attributes[] = {{CKA_EC_PARAMS, parameters.data(), parameters.size()},
                                 {CKA_EC_POINT, point.data(), point.size()}};
    OTA_TRY(StatusOf(functions_->C_GetAttributeValue(session_, handle, attributes, 2)));
    const bool is_p256 = parameters == kP256Parameters &&
                         attributes[1].ulValueLen == point.size() &&
                         std::equal(kPointHead.begin(), kPointHead.end(), point.begin());
    if (!is_p256) return Status::kKeyInvalid;
    P256PublicKey key;
    std::copy(point.begin() + kPointHead.size(), point.end(), key.begin());
    return key;
  }

  Status GeneratePair() {
    CK_ATTRIBUTE* const label = p11_kit_uri_get_attribute(uri_.get(), CKA_LABEL);
    if (label == nullptr) return Status::kInvalidArgument;
    CK_ATTRIBUTE* const id = p11_kit_uri_get_attribute(uri_.get(), CKA_ID);
    CK_BBOOL yes = CK_TRUE;
    CK_BBOOL no = CK_FALSE;
    auto parameters = kP256Parameters;
    std::vector<CK_ATTRIBUTE> open = {AttributeOf(CKA_TOKEN, yes),
                                      AttributeOf(CKA_VERIFY, yes),
                                      {CKA_EC_PARAMS, parameters.data(), parameters.size()},
                                      *label};
    std::vector<CK_ATTRIBUTE> secret = {
        AttributeOf(CKA_TOKEN, yes),     AttributeOf(CKA_PRIVATE, yes),
        AttributeOf(CKA_SENSITIVE, yes), AttributeOf(CKA_EXTRACTABLE, no),
        AttributeOf(CKA_SIGN, yes),      *label};
    if (id != nullptr) open.push_back(*id);
    if (id != nullptr) secret.push_back(*id);
    CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, nullptr, 0};
    CK_OBJECT_HANDLE public_handle = 0;
    CK_OBJECT_HANDLE private_handle = 0;
    return StatusOf(functions_->C_GenerateKeyPair(session_, &mechanism, open.data(), open.size(),
                                                  secret.data(), secret.size(), &public_handle,
                                                  &private_handle));
  }

  Result<Es256Signature> Sign(CK_OBJECT_HANDLE key, Sha256Digest digest) {
    CK_MECHANISM mechanism = {CKM_ECDSA, nullptr, 0};
    OTA_TRY(StatusOf(functions_->C_SignInit(session_, &mechanism, key)));
    Es256Signature signature;
    unsigned long length = signature.size();
    OTA_TRY(StatusOf(
        functions_->C_Sign(session_, digest.data(), digest.size(), signature.data(), &length)));
    if (length != signature.size()) return Status::kKeyInvalid;
    LowerS(signature);
    return signature;
  }

 private:
  Status LoadModules() {
    const char* const path = p11_kit_uri_get_module_path(uri_.get());
    if (path == nullptr) {
      modules_ = p11_kit_modules_load_and_initialize(0);
      return modules_ != nullptr ? Status::kOk : Status::kNotFound;
    }
    own_module_ = p11_kit_module_load(path, 0);
    const bool is_ready =
        own_module_ != nullptr && p11_kit_module_initialize(own_module_) == CKR_OK;
    return is_ready ? Status::kOk : Status::kNotFound;
  }

  Status FindToken() {
    CK_FUNCTION_LIST* own[] = {own_module_, nullptr};
    for (CK_FUNCTION_LIST** at = own_module_ != nullptr ? own : modules_; *at != nullptr; ++at) {
      std::array<CK_SLOT_ID, 64> slots = {};
      unsigned long count = slots.size();
      if ((*at)->C_GetSlotList(CK_TRUE, slots.data(), &count) != CKR_OK) continue;
      for (size_t i = 0; i < count; ++i) {
        CK_TOKEN_INFO info = {};
        if ((*at)->C_GetTokenInfo(slots[i], &info) != CKR_OK) continue;
        if (p11_kit_uri_match_token_info(uri_.get(), &info) == 0) continue;
        functions_ = *at;
        slot_ = slots[i];
        return Status::kOk;
      }
    }
    return Status::kNotFound;
  }

  Uri uri_;
  CK_FUNCTION_LIST** modules_ = nullptr;
  CK_FUNCTION_LIST* own_module_ = nullptr;
  CK_FUNCTION_LIST* functions_ = nullptr;
  CK_SLOT_ID slot_ = 0;
  CK_SESSION_HANDLE session_ = CK_INVALID_HANDLE;
};

bool IsTokenUri(std::string_view text) { return text.starts_with(kScheme); }

bool HasPin(const std::string& text) {
  const Uri uri = ParseUri(text);
  return uri != nullptr && p11_kit_uri_get_pin_value(uri.get()) != nullptr;
}

TokenKey::TokenKey(std::unique_ptr<Token> token) : token_(std::move(token)) {}
TokenKey::~TokenKey() = default;

Result<std::unique_ptr<TokenKey>> TokenKey::LogIn(const std::string& text, const std::string& pin) {
  Uri uri = ParseUri(text);
  if (uri == nullptr) return Status::kInvalidArgument;
  auto token = std::make_unique<Token>(std::move(uri));
  OTA_TRY(token->Open(pin));
  return std::unique_ptr<TokenKey>(new TokenKey(std::move(token)));
}

Status TokenKey::FindKeys() {
  OTA_TRY(private_handle_, token_->Find(CKO_PRIVATE_KEY));
  OTA_TRY(const CK_OBJECT_HANDLE public_handle, token_->Find(CKO_PUBLIC_KEY));
  OTA_TRY(public_key_, token_->ReadPublicKey(public_handle));
  return Status::kOk;
}

Result<std::unique_ptr<TokenKey>> TokenKey::Open(const std::string& uri, const std::string& pin) {
  auto key = LogIn(uri, pin);
  if (!key.ok()) return key;
  OTA_TRY((*key)->FindKeys());
  return key;
}

Result<std::unique_ptr<TokenKey>> TokenKey::Generate(const std::string& uri,
                                                     const std::string& pin) {
  auto key = LogIn(uri, pin);
  if (!key.ok()) return key;
  const Status present = (*key)->token_->Find(CKO_PRIVATE_KEY).status();
  if (present == Status::kOk) return Status::kAlreadyExists;
  if (present != Status::kNotFound) return present;
  OTA_TRY((*key)->token_->GeneratePair());
  OTA_TRY((*key)->FindKeys());
  return key;
}

Result<Es256Signature> TokenKey::Sign(const Sha256Digest& digest) {
  return token_->Sign(private_handle_, digest);
}

}  // namespace ota::crypto

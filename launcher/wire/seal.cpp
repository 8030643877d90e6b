#include "launcher/wire/seal.h"

#include "common/sha256.h"
#include "launcher/wire/token.h"
#include "proto/lines.h"

namespace tradewind::launcher {
namespace {

constexpr std::size_t nonce_digits = 64;
constexpr std::size_t code_bytes = 16;  // half of an HMAC-SHA-256

std::string mixed(const char* purpose, End who, const std::string& token, const Nonces& nonces) {
  // Fields of fixed length, or ended by a blank: no two meanings have the same bytes.
  const std::string text = "tradewind control " + std::to_string(nonces.version) + " " + purpose +
                           (who == End::agent ? " agent " : " controller ") + nonces.controller + " " + nonces.agent;
  return hex_of(hmac_sha256(token, text));
}

}  // namespace

std::string make_nonce() { return make_token(); }

bool is_nonce(std::string_view text) {
  return text.size() == nonce_digits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string proof_of(End who, const std::string& token, const Nonces& nonces) {
  return mixed("proof", who, token, nonces);
}

Seal::Seal(End sender, const std::string& token, const Nonces& nonces) : key_(mixed("seal", sender, token, nonces)) {}

std::string Seal::code_of(std::string_view line) {
  const Digest code = hmac_sha256(key_, std::to_string(number_++) + " " + std::string(line));
  return hex_of(code.data(), code_bytes);
}

std::string Seal::seal(std::string_view line) { return code_of(line) + " " + std::string(line); }

std::string_view Seal::open(std::string_view sealed) {
  const bool shaped = sealed.size() >= bytes && sealed[bytes - 1] == ' ';
  if (!shaped || !same_token(sealed.substr(0, bytes - 1), code_of(sealed.substr(bytes))))
    throw proto::ProtocolError("a line that the other end did not send: something on the way changes or repeats them");
  return sealed.substr(bytes);
}

}  // namespace tradewind::launcher

// SHA-256 (FIPS 180-4) and HMAC with it (RFC 2104). Written out because what we start on is any login host: its
// libcrypto may be another one than that of the build. Thread-safe: pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace tradewind {

using Digest = std::array<std::uint8_t, 32>;

Digest sha256(std::string_view bytes);
Digest hmac_sha256(std::string_view key, std::string_view message);

std::string hex_of(const std::uint8_t* bytes, std::size_t count);
inline std::string hex_of(const Digest& digest) { return hex_of(digest.data(), digest.size()); }

}  // namespace tradewind

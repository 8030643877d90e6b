// The secret of a job: who knows it may take part. Thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace tradewind::launcher {

// 256 random bits in hexadecimal. EnvironmentFault when the system gives none.
std::string make_token();
// In a time that does not depend on where they differ. An empty token is never the same.
bool same_token(std::string_view a, std::string_view b);

}  // namespace tradewind::launcher

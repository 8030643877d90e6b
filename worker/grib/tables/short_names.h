// Short names of GRIB2 messages by ecCodes' own definitions, but without the tables that ecCodes makes of them: 5 to
// 7 MB for each class of data, of which the definitions are 0.3 MB (definitions.h). Only for the release whose way with
// them is known (2.50). Where the answer is nullopt ecCodes is to be asked: for other releases, GRIB1, a name or a
// message that the definitions do not tell, and definitions that are written in another way. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

struct grib_handle;

namespace tradewind::grib {

// The message's short name.
std::optional<std::string> known_short_name(const grib_handle* message);

struct NumberedKey {
  const char* name;  // valid for ever
  long value;
};

// What ecCodes sets when this short name is set in the message as it is, in order.
std::optional<std::vector<NumberedKey>> keys_of_short_name(const grib_handle* message, const std::string& name);

}  // namespace tradewind::grib

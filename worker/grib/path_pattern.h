// Output paths that hold GRIB keys: `{dataDate}-{step:03}.grib` becomes a path per message.
// Formats are Python's: fill, alignment, sign, zero padding, width, precision and the types d s x o b e f g %.
// Pure. Errors: UserError for a key that the message lacks or a format that does not fit the value.
#pragma once

#include <string>

#include "worker/grib/handle.h"

namespace tradewind::grib {

std::string render_path(const std::string& pattern, const Handle& message);
// One value by one format, e.g. (6, "03") -> 006.
std::string format_value(const Json& value, const std::string& format);

}  // namespace tradewind::grib

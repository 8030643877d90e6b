// In place of the others in this folder where they are switched off: ecCodes makes all its tables, in its own way.
#include "worker/grib/tables/memory.h"
#include "worker/grib/tables/short_names.h"

namespace tradewind::grib {

void keep_tables_small() {}

std::optional<std::string> known_short_name(const grib_handle*) { return std::nullopt; }

std::optional<std::vector<NumberedKey>> keys_of_short_name(const grib_handle*, const std::string&) {
  return std::nullopt;
}

}  // namespace tradewind::grib

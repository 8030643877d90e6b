// Memory of the tables that ecCodes makes. A code table of two octets has 65536 entries of 24 bytes, of which a few
// hundred are named; ecCodes clears all of them by hand, so that a dozen tables take 1.5 MB of memory each.
#pragma once

namespace tradewind::grib {

// From now on the pages of such tables are there when they are written to. To be called before ecCodes makes any.
void keep_tables_small();

}  // namespace tradewind::grib

// A field into a GRIB message: template and keys and values in, encoded message out. Thread-safe for different calls.
// Errors: UserError naming the template's place and the keys.
#pragma once

#include <span>
#include <string>

#include "worker/grib/handle.h"

namespace tradewind::grib {

struct EncodeOptions {
  bool allow_nans = false;       // NaN becomes a missing point in a bitmap; otherwise NaN is an error
  double missing_value = -9999;  // what stands for NaN while ecCodes encodes
  bool check = true;             // read every key back and compare
};

// Sets the keys (identity.h) on a copy of the template, then the values. A message that cannot be encoded in edition 1
// is tried again in edition 2.
Handle encode_field(const Handle& message_template, const Json& keys, std::span<const float> values,
                    const EncodeOptions& options);

// What encode_field() makes of the keys, with the template's values left as they are and its packing too: finds what it
// would refuse for `points` values, at the price of a copy of the template.
Handle encode_header(const Handle& message_template, const Json& keys, std::size_t points,
                     const EncodeOptions& options);

// Those of the keys that say how values are packed.
Json packing_keys(const Json& keys);

// Throws UserError with every key whose value in the message is not the one asked for.
void check_keys(const Handle& message, const Json& keys);

}  // namespace tradewind::grib

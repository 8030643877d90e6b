// What the tests of input and output share: golden cases, a folder that goes away, GRIB files made on the spot.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/checkpoint/metadata.h"
#include "common/errors.h"
#include "tests/helpers/temporary_folder.h"
#include "worker/grib/handle.h"

namespace tradewind::test {

std::string golden(const std::string& file);

// Metadata of a golden checkpoint.
checkpoint::Metadata golden_metadata(const std::string& checkpoint);

std::vector<grib::Handle> read_messages(const std::string& path);
void write_file(const std::string& path, const std::string& bytes);  // with the folders above it

// A message on the O32 grid with these keys, values as given (5248 of them) or zeros.
grib::Handle make_message(const grib::Json& keys, const std::vector<double>& values = {});

// The keys that identify a message, as text; "-" for keys it lacks.
std::vector<std::string> identity(const grib::Handle& message);

// What the error of an action says; empty when there is none.
template <class Action>
std::string error_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

inline bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace tradewind::test

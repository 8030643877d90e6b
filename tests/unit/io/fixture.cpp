#include "tests/unit/io/fixture.h"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "common/archive/archive.h"
#include "common/checkpoint/checkpoint.h"
#include "worker/grib/builtin.h"
#include "worker/grib/scan.h"

namespace tradewind::test {

std::string golden(const std::string& file) { return std::string(TRADEWIND_GOLDEN_DIR) + "/" + file; }

checkpoint::Metadata golden_metadata(const std::string& checkpoint) {
  return checkpoint::read_metadata(*archive::Archive::open(golden(checkpoint))).front();
}

std::vector<grib::Handle> read_messages(const std::string& path) {
  const grib::FileReader file(path);
  std::vector<grib::Handle> messages;
  for (const auto& extent : grib::scan_messages(file, path))
    messages.push_back(grib::Handle::from_bytes(file.read(extent), path));
  return messages;
}

void write_file(const std::string& path, const std::string& bytes) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  put_text(path, bytes);
}

grib::Handle make_message(const grib::Json& keys, const std::vector<double>& values) {
  grib::Handle message = std::move(*grib::make_builtin("O32", keys.contains("level"), std::nullopt));
  message.set_together(keys);
  message.set_values(values.empty() ? std::vector<double>(5248, 0.0) : values);
  return message;
}

std::vector<std::string> identity(const grib::Handle& message) {
  std::vector<std::string> values;
  for (const char* key : {"edition",
                          "shortName",
                          "paramId",
                          "typeOfLevel",
                          "level",
                          "dataDate",
                          "dataTime",
                          "stepRange",
                          "stepType",
                          "gridType",
                          "numberOfPoints",
                          "packingType",
                          "bitsPerValue",
                          "marsClass",
                          "marsStream",
                          "marsType",
                          "experimentVersionNumber",
                          "productDefinitionTemplateNumber",
                          "generatingProcessIdentifier",
                          "bitmapPresent"})
    values.push_back(std::string(key) + "=" + message.text(key).value_or("-"));
  return values;
}

}  // namespace tradewind::test

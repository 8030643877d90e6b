#include "worker/compare/messages.h"

#include <cmath>

#include "common/errors.h"
#include "worker/grib/index.h"

namespace tradewind::compare {
namespace {

constexpr const char* identifying[] = {"shortName", "paramId",  "typeOfLevel", "level",
                                       "dataDate",  "dataTime", "stepRange",   "number"};
constexpr const char* shared[] = {"edition",
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
                                  "bitmapPresent"};

// value = (referenceValue + k x 2^binaryScaleFactor) / 10^decimalScaleFactor (WMO regulation 92.9.4).
Packing packing_of(const grib::Handle& message) {
  const auto binary = message.integer("binaryScaleFactor"), decimal = message.integer("decimalScaleFactor");
  const auto minimum = message.real("referenceValue");
  if (!binary || !decimal || !minimum) return {};
  const double unit = std::pow(10.0, -static_cast<double>(*decimal));
  const bool constant = message.integer("bitsPerValue").value_or(0) == 0;
  return {*minimum * unit, constant ? 0 : std::pow(2.0, static_cast<double>(*binary)) * unit};
}

MessageKeys keys_of(const grib::Handle& message) {
  MessageKeys keys;
  const std::string name = message.text("shortName").value_or("?"), level = message.text("level").value_or("0");
  const std::string levels = message.text("typeOfLevel").value_or("");
  const bool leveled = levels == "isobaricInhPa" || levels == "isobaricInPa" || levels == "hybrid" ||
                       levels == "theta" || levels == "potentialVorticity";
  keys.field = leveled ? name + "_" + level : name;
  keys.lead = parse_duration(message.text("endStep").value_or("0"));
  keys.valid = grib::valid_time(message);
  keys.base = keys.valid - keys.lead;
  keys.label = keys.field + " step " + duration_text(keys.lead);
  for (const char* key : identifying) keys.identity += message.text(key).value_or("-") + "/";
  for (const char* key : shared) keys.keys.emplace_back(key, message.text(key).value_or("none"));
  keys.packing = packing_of(message);
  keys.grid = message.text("md5GridSection").value_or("");
  return keys;
}

}  // namespace

MessageFile::MessageFile(std::string path) : path_(std::move(path)) {
  try {
    file_ = std::make_unique<grib::FileReader>(path_);
  } catch (const EnvironmentFault& fault) {
    throw UserError(fault.message(), fault.where());
  }
  std::size_t number = 0;
  for (const grib::Extent& extent : grib::scan_messages(*file_, path_)) {
    messages_.push_back(
        keys_of(grib::Handle::from_bytes(file_->read(extent), grib::place(path_, ++number, extent.offset))));
    messages_.back().extent = extent;
  }
  if (messages_.empty()) throw UserError("the GRIB file is empty", path_);
}

grib::Handle MessageFile::open(const MessageKeys& message) const {
  return grib::Handle::from_bytes(file_->read(message.extent), path_ + ", " + message.label);
}

}  // namespace tradewind::compare

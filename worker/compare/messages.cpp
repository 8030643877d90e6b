#include "worker/compare/messages.h"

#include <algorithm>
#include <cmath>

#include "common/errors.h"
#include "worker/grib/index.h"

namespace tradewind::compare {
namespace {

// With what a message says that lacks the key.
constexpr std::pair<const char*, const char*> identifying[] = {
    {"shortName", "-"}, {"paramId", "-"},   {"typeOfLevel", "-"},    {"level", "0"}, {"dataDate", "-"},
    {"dataTime", "-"},  {"stepRange", "0"}, {"stepType", "instant"}, {"number", "0"}};
constexpr const char* shared[] = {"edition",
                                  "shortName",
                                  "paramId",
                                  "typeOfLevel",
                                  "level",
                                  "dataDate",
                                  "dataTime",
                                  "stepRange",
                                  "stepType",
                                  "number",
                                  "gridType",
                                  "numberOfPoints",
                                  "packingType",
                                  "bitsPerValue",
                                  "localUsePresent",
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

// As MARS has it: the level types of the editions differ (2t, msl), and so do the starts of their steps (mx2t).
std::string meaning_of(const grib::Handle& message, Duration lead) {
  const auto text = [&](const char* key, const char* otherwise) { return message.text(key).value_or(otherwise); };
  const std::string levtype = text("levtype", "");
  std::string level = text("levelist", "");
  if (levtype == "sfc" || levtype == "o2d") level = "";
  if (levtype.empty()) level = text("typeOfLevel", "") + " " + text("level", "0");
  return text("paramId", "-") + "/" + levtype + "/" + level + "/" + text("dataDate", "-") + "/" +
         text("dataTime", "-") + "/" + duration_text(lead) + "/" + text("number", "0");
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
  for (const auto& [key, otherwise] : identifying) keys.identity += message.text(key).value_or(otherwise) + "/";
  keys.meaning = meaning_of(message, keys.lead);
  for (const char* key : shared) keys.keys.emplace_back(key, message.text(key));
  keys.packing = packing_of(message);
  // Where there is no description that could be the same, the message itself.
  keys.grid = message.text("md5GridSection").value_or(message.where());
  keys.points = static_cast<std::size_t>(std::max(0L, message.integer("numberOfDataPoints").value_or(0)));
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
        keys_of(grib::Handle::from_bytes(file_->read(extent), grib::location(path_, ++number, extent.offset))));
    messages_.back().extent = extent;
  }
  if (messages_.empty()) throw UserError("the GRIB file is empty", path_);
}

grib::Handle MessageFile::open(const MessageKeys& message) const {
  std::string bytes = file_->read(message.extent);
  file_->check_unchanged();
  return grib::Handle::from_bytes(bytes, path_ + ", " + message.label);
}

}  // namespace tradewind::compare

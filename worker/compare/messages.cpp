#include "worker/compare/messages.h"

#include <algorithm>
#include <cmath>

#include "common/errors.h"
#include "worker/grib/index.h"

namespace tradewind::compare {
namespace {

constexpr const char* identifying[] = {"shortName", "paramId",   "typeOfLevel", "level", "dataDate",
                                       "dataTime",  "stepRange", "stepType",    "number"};
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

std::string said(const grib::Handle& message, const std::string& key) {
  return message.text(key).value_or(default_of(key));
}

// As MARS has it: the level types of the editions differ (2t, msl), and so do the starts of their steps (mx2t).
std::string meaning_of(const grib::Handle& message, Duration lead) {
  const std::string levtype = message.text("levtype").value_or("");
  std::string level = message.text("levelist").value_or("");
  if (levtype == "sfc" || levtype == "o2d") level = "";
  if (levtype.empty()) level = said(message, "typeOfLevel") + " " + said(message, "level");
  return said(message, "paramId") + "/" + levtype + "/" + level + "/" + said(message, "dataDate") + "/" +
         said(message, "dataTime") + "/" + duration_text(lead) + "/" + said(message, "number");
}

MessageKeys keys_of(const grib::Handle& message) {
  MessageKeys keys;
  const std::string name = message.text("shortName").value_or("?"), level = said(message, "level");
  const std::string levels = message.text("typeOfLevel").value_or("");
  const bool leveled = levels == "isobaricInhPa" || levels == "isobaricInPa" || levels == "hybrid" ||
                       levels == "theta" || levels == "potentialVorticity";
  keys.field = leveled ? name + "_" + level : name;
  keys.lead = parse_duration(message.text("endStep").value_or("0"));
  keys.base = grib::base_time(message);
  keys.valid = keys.base + keys.lead;
  keys.label = keys.field + " step " + duration_text(keys.lead);
  for (const char* key : identifying) keys.identity += said(message, key) + "/";
  keys.meaning = meaning_of(message, keys.lead);
  for (const char* key : shared) keys.keys.emplace_back(key, message.text(key));
  keys.packing = packing_of(message);
  // Where there is no description that could be the same, the message itself.
  keys.grid = message.text("md5GridSection").value_or(message.where());
  keys.points = static_cast<std::size_t>(std::max(0L, message.integer("numberOfDataPoints").value_or(0)));
  return keys;
}

}  // namespace

std::string default_of(const std::string& key) {
  static const std::map<std::string, std::string> defaults = {{"number", "0"},        {"level", "0"},
                                                              {"stepRange", "0"},     {"stepType", "instant"},
                                                              {"bitmapPresent", "0"}, {"localUsePresent", "0"}};
  const auto found = defaults.find(key);
  return found == defaults.end() ? "none" : found->second;
}

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

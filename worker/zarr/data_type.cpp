#include "worker/zarr/data_type.h"

#include <array>
#include <map>
#include <utility>

#include "common/errors.h"
#include "common/printable.h"

namespace tradewind::zarr {
namespace {

using Kind = DataType::Kind;

[[noreturn]] void refuse(std::string_view name, const std::string& where) {
  throw UserError("elements of type '" + printable(std::string(name.substr(0, 60))) + "' are not supported", where,
                  "write the store with numbers (float32, float64) and dates (datetime64)");
}

// Unit of numpy's datetime64.
void set_unit(DataType& type, std::string_view unit, std::string_view name, const std::string& where) {
  struct Unit {
    std::string_view name;
    std::int64_t seconds, parts;
  };
  static constexpr std::array units = {Unit{"D", 86400, 1},      Unit{"h", 3600, 1},  Unit{"m", 60, 1},
                                       Unit{"s", 1, 1},          Unit{"ms", 0, 1000}, Unit{"us", 0, 1'000'000},
                                       Unit{"ns", 0, 1000000000}};
  for (const Unit& one : units) {
    if (one.name != unit) continue;
    type.seconds = one.seconds;
    type.parts = one.parts;
    return;
  }
  refuse(name, where);
}

}  // namespace

DataType numpy_type(std::string_view name, const std::string& where) {
  static const std::map<std::string_view, std::pair<Kind, int>> known = {
      {"b1", {Kind::boolean, 1}}, {"i1", {Kind::integer, 1}}, {"i2", {Kind::integer, 2}}, {"i4", {Kind::integer, 4}},
      {"i8", {Kind::integer, 8}}, {"u1", {Kind::natural, 1}}, {"u2", {Kind::natural, 2}}, {"u4", {Kind::natural, 4}},
      {"u8", {Kind::natural, 8}}, {"f2", {Kind::real, 2}},    {"f4", {Kind::real, 4}},    {"f8", {Kind::real, 8}},
      {"M8", {Kind::date, 8}}};
  if (name.size() < 3) refuse(name, where);
  const char order = name[0];
  const auto found = known.find(name.substr(1, 2));
  const bool date = found != known.end() && found->second.first == Kind::date;
  if (found == known.end() || (name.size() > 3) != date) refuse(name, where);
  DataType type{.kind = found->second.first, .size = found->second.second};
  if (type.size > 1 && order != '<' && order != '>') refuse(name, where);
  if (type.size == 1 && order != '|' && order != '<' && order != '>') refuse(name, where);
  type.swapped = type.size > 1 && is_swapped(order == '>');
  if (date) {
    if (name[3] != '[' || name.back() != ']') refuse(name, where);
    set_unit(type, name.substr(4, name.size() - 5), name, where);
  }
  return type;
}

DataType named_type(const Json& description, const std::string& where) {
  static const std::map<std::string_view, std::pair<Kind, int>> known = {
      {"bool", {Kind::boolean, 1}},   {"int8", {Kind::integer, 1}},   {"int16", {Kind::integer, 2}},
      {"int32", {Kind::integer, 4}},  {"int64", {Kind::integer, 8}},  {"uint8", {Kind::natural, 1}},
      {"uint16", {Kind::natural, 2}}, {"uint32", {Kind::natural, 4}}, {"uint64", {Kind::natural, 8}},
      {"float16", {Kind::real, 2}},   {"float32", {Kind::real, 4}},   {"float64", {Kind::real, 8}}};
  if (description.is_object()) {
    const auto name = description.find("name"), options = description.find("configuration");
    const std::string text = name != description.end() && name->is_string() ? name->get<std::string>() : "?";
    if (text != "numpy.datetime64" || options == description.end() || !options->is_object()) refuse(text, where);
    const auto unit = options->find("unit"), factor = options->find("scale_factor");
    DataType type{.kind = Kind::date, .size = 8};
    if (unit == options->end() || !unit->is_string()) refuse(text, where);
    if (factor != options->end() && (!factor->is_number_integer() || *factor != 1)) refuse(text, where);
    set_unit(type, unit->get<std::string>(), text, where);
    return type;
  }
  const std::string text = description.is_string() ? description.get<std::string>() : description.dump();
  const auto found = known.find(text);
  if (found == known.end()) refuse(text, where);
  return {.kind = found->second.first, .size = found->second.second};
}

}  // namespace tradewind::zarr

// A file of ecCodes' definitions that gives names to combinations of keys ('2t' = { discipline = 0 ; ... }), in a few
// bytes for each condition. Immutable, thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tradewind::grib {

struct Condition {
  std::uint16_t key = 0;  // which of Definitions::keys(); `unknown_value` may be set in it
  std::int32_t value = 0;
};

class Definitions {
 public:
  static constexpr std::uint16_t unknown_value = 0x8000;  // the key is compared with something else than a whole number

  static constexpr std::int32_t missing = 0x7fffffff;  // the whole number that ecCodes takes for a missing value

  // nullopt for a text that is written otherwise than such files are.
  static std::optional<Definitions> parse(std::string_view text);

  const std::vector<std::string>& keys() const { return keys_; }
  std::size_t size() const { return names_.size(); }
  std::string_view name(std::size_t entry) const { return texts_.data() + names_[entry]; }
  // Conditions of an entry: [begin(entry), begin(entry + 1)) of conditions().
  std::size_t begin(std::size_t entry) const { return entry < size() ? begins_[entry] : conditions_.size(); }
  const std::vector<Condition>& conditions() const { return conditions_; }

 private:
  std::vector<std::string> keys_;
  std::string texts_;  // names, each with a zero behind it
  std::vector<std::uint32_t> names_, begins_;
  std::vector<Condition> conditions_;
};

}  // namespace tradewind::grib

// The messages of a GRIB file with what identifies them. Immutable; values are decoded when asked for.
// Errors: UserError for a file that cannot be read, EnvironmentFault for one that is changed meanwhile.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/dates.h"
#include "worker/grib/handle.h"
#include "worker/grib/scan.h"

namespace tradewind::compare {

// Packed values are minimum + k x step with whole k: packing moves a value by at most half a step. No step: unpacked.
struct Packing {
  double minimum = 0, step = 0;  // in the field's unit
};

struct MessageKeys {
  std::string field;  // short name, with its level: t_850, 2t
  Time base{}, valid{};
  Duration lead{};    // end of the step
  std::string label;  // for people: t_850 step 6h
  // Identifies the message within a forecast: parameter, level, base date, step and its type, member.
  std::string identity;
  // The same in what both editions say alike: MARS levels, end of the step.
  std::string meaning;
  std::vector<std::pair<std::string, std::optional<std::string>>> keys;  // all that two equal forecasts share
  Packing packing;
  std::string grid;  // same text, same points in the same order
  std::size_t points = 0;
  grib::Extent extent;
};

// What a message means that lacks the key; "none" where no value would mean the same.
std::string default_of(const std::string& key);

class MessageFile {
 public:
  explicit MessageFile(std::string path);
  const std::string& path() const { return path_; }
  const std::vector<MessageKeys>& messages() const { return messages_; }
  grib::Handle open(const MessageKeys& message) const;

 private:
  std::string path_;
  std::unique_ptr<grib::FileReader> file_;
  std::vector<MessageKeys> messages_;
};

}  // namespace tradewind::compare

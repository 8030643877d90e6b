#include "common/errors.h"

namespace tradewind {
namespace {

std::string joined(const std::string& what, const std::string& where, const std::string& remedy) {
  std::string text = where.empty() ? what : where + ": " + what;
  if (!remedy.empty()) text += "\n  remedy: " + remedy;
  return text;
}

}  // namespace

Error::Error(std::string what, std::string where, std::string remedy)
    : std::runtime_error(joined(what, where, remedy)),
      message_(std::move(what)),
      where_(std::move(where)),
      remedy_(std::move(remedy)) {}

}  // namespace tradewind

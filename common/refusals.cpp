#include "common/refusals.h"

#include <sstream>

namespace tradewind {
namespace {

std::string listed(const Refusals& refusals) {
  std::ostringstream text;
  text << refusals.size() << " things stand in the way:";
  int number = 0;
  for (const Refusal& one : refusals) {
    text << '\n' << ++number << ". " << one.where << (one.where.empty() ? "" : ": ") << one.what;
    if (!one.remedy.empty()) text << "\n   remedy: " << one.remedy;
  }
  return text.str();
}

bool alone(const Refusals& refusals) { return refusals.size() == 1; }

}  // namespace

Refused::Refused(Refusals refusals)
    : UserError(alone(refusals) ? refusals.front().what : listed(refusals),
                alone(refusals) ? refusals.front().where : std::string(),
                alone(refusals) ? refusals.front().remedy : std::string()),
      refusals_(std::move(refusals)) {}

void refuse_all(Refusals refusals) {
  if (!refusals.empty()) throw Refused(std::move(refusals));
}

Refusals refusals_of(const UserError& error) {
  if (const auto* several = dynamic_cast<const Refused*>(&error)) return several->refusals();
  return {{error.message(), error.where(), error.remedy()}};
}

}  // namespace tradewind

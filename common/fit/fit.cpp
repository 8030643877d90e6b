#include "common/fit/fit.h"

#include "common/fit/parts.h"

namespace tradewind {
namespace fit {

const config::Location& Case::where(const std::string& key) const {
  const config::Node* node = document.root.find(key);
  return node == nullptr ? document.root.where : node->where;
}

void refuse(Case& one, const config::Origin& at, const std::string& what, const std::string& remedy) {
  one.findings.refuse(UserError(what, at.where, remedy));
}

void warn(Case& one, const config::Origin& at, const std::string& what) {
  one.findings.warn(config::location_of(at.where), what);
}

}  // namespace fit

void check_fit(const config::RunConfig& config, const config::ConfigDocument& document,
               const checkpoint::Metadata& metadata, config::Findings& findings) {
  fit::Case one{config, document, metadata, findings};
  fit::check_times(one);
  fit::check_selection(one);
  fit::check_names(one);
}

}  // namespace tradewind

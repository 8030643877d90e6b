#include "common/precision.h"

#include <algorithm>
#include <array>
#include <utility>

namespace tradewind {
namespace {

constexpr std::array<std::pair<std::string_view, Precision>, 12> kNames = {{{"16", Precision::f16},
                                                                            {"16-mixed", Precision::f16},
                                                                            {"f16", Precision::f16},
                                                                            {"float16", Precision::f16},
                                                                            {"bf16", Precision::bf16},
                                                                            {"bf16-mixed", Precision::bf16},
                                                                            {"b16", Precision::bf16},
                                                                            {"b16-mixed", Precision::bf16},
                                                                            {"bfloat16", Precision::bf16},
                                                                            {"32", Precision::f32},
                                                                            {"f32", Precision::f32},
                                                                            {"float32", Precision::f32}}};

}  // namespace

std::optional<Precision> precision_of(std::string_view name) {
  const auto* found =
      std::find_if(kNames.begin(), kNames.end(), [&](const auto& entry) { return entry.first == name; });
  if (found == kNames.end()) return std::nullopt;
  return found->second;
}

const std::vector<std::string>& precision_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    all.reserve(kNames.size());
    for (const auto& entry : kNames) all.emplace_back(entry.first);
    return all;
  }();
  return names;
}

std::int64_t bytes_of(Precision precision) { return precision == Precision::f32 ? 4 : 2; }

}  // namespace tradewind

// Where the checkpoint of a golden case is: in the repository, or among the further cases of TRADEWIND_FIXTURES.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

namespace tradewind::tests {

// `golden`: tests/golden. nullopt: the case is in neither, as where only the repository is at hand.
inline std::optional<std::string> find_checkpoint(const std::filesystem::path& golden, const std::string& name) {
  const char* further = std::getenv("TRADEWIND_FIXTURES");
  for (const std::filesystem::path& folder : {golden, std::filesystem::path(further == nullptr ? "" : further)}) {
    const std::filesystem::path file = folder / name / "inference-last.ckpt";
    if (!folder.empty() && std::filesystem::is_regular_file(file)) return file.string();
  }
  return std::nullopt;
}

}  // namespace tradewind::tests

// README.md's table of what runs, against the tables that decide it.
#include <doctest/doctest.h>

#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "common/checkpoint/generations/known.h"
#include "common/config/filters/filters.h"
#include "common/config/inputs/inputs.h"
#include "common/config/nodes/kinds.h"
#include "common/config/outputs/outputs.h"

using namespace tradewind;

namespace {

struct Row {
  std::string name;
  std::set<std::string> runs;     // the words in backquotes of its second column
  std::set<std::string> refused;  // and of its third
};

std::set<std::string> quoted_words(const std::string& cell) {
  std::set<std::string> words;
  std::size_t from = 0;
  while ((from = cell.find('`', from)) != std::string::npos) {
    const std::size_t end = cell.find('`', from + 1);
    REQUIRE(end != std::string::npos);
    words.insert(cell.substr(from + 1, end - from - 1));
    from = end + 1;
  }
  return words;
}

Row row_of(const std::string& name) {
  std::ifstream readme(TRADEWIND_GOLDEN_DIR "/../../README.md");
  REQUIRE(readme.good());
  const std::string start = "| " + name;
  for (std::string line; std::getline(readme, line);) {
    if (!line.starts_with(start)) continue;
    std::vector<std::string> cells;
    for (std::size_t from = 1; from < line.size();) {
      const std::size_t end = line.find('|', from);
      REQUIRE(end != std::string::npos);
      cells.push_back(line.substr(from, end - from));
      from = end + 1;
    }
    REQUIRE(cells.size() == 3);
    return {name, quoted_words(cells[1]), quoted_words(cells[2])};
  }
  FAIL("README.md has no row " << name);
  return {};
}

void check(const Row& row, const std::vector<std::string>& kinds) {
  CAPTURE(row.name);
  REQUIRE_FALSE(kinds.empty());
  for (const std::string& kind : kinds) {
    CAPTURE(kind);
    CHECK(row.runs.contains(kind));
    CHECK_FALSE(row.refused.contains(kind));
  }
}

}  // namespace

TEST_CASE("the table of README.md names what is built, and says of nothing built that it is refused") {
  check(row_of("models"), checkpoint::known_models());
  check(row_of("inputs"), config::kind_names<config::InputConfig>());
  check(row_of("outputs"), config::kind_names<config::OutputConfig>());
  check(row_of("post-processors"), config::kind_names<config::FilterConfig>());
  check(row_of("pre-processors"), config::kind_names<config::PreProcessor>());
}

TEST_CASE("what the table of README.md says to run is built") {
  const auto built = [](const Row& row, const std::vector<std::string>& kinds) {
    const std::set<std::string> known(kinds.begin(), kinds.end());
    for (const std::string& word : row.runs) {
      CAPTURE(word);
      CHECK(known.contains(word));
    }
  };
  built(row_of("inputs"), config::kind_names<config::InputConfig>());
  built(row_of("outputs"), config::kind_names<config::OutputConfig>());
  built(row_of("post-processors"), config::kind_names<config::FilterConfig>());
  built(row_of("pre-processors"), config::kind_names<config::PreProcessor>());
}

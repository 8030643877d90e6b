#include "common/nearest.h"

#include <doctest/doctest.h>

namespace tradewind {

TEST_CASE("a slip has a nearest word, another word has none") {
  const std::vector<std::string> known = {"run", "inspect", "lead_time", "output_frequency", "2t", "10u", "t_850"};
  const std::pair<const char*, const char*> slips[] = {{"rum", "run"},
                                                       {"rnu", "run"},
                                                       {"isnpect", "inspect"},
                                                       {"lead-time", "lead_time"},
                                                       {"leadtime", "lead_time"},
                                                       {"Run", "run"},
                                                       {"output_frequncy", "output_frequency"},
                                                       {"t2", "2t"},
                                                       {"t_805", "t_850"}};
  for (const auto& [word, expected] : slips) {
    const std::string shown(word);
    CAPTURE(shown);
    CHECK(nearest(word, known) == std::string(expected));
  }
  for (const char* word : {"xylophone", "", "zz", "forcings"}) CHECK(!nearest(word, known));
  CHECK(!nearest(std::string(1 << 20, 'x'), known));
  CHECK(nearest("ab", {"aab", "abb"}) == "aab");
  CHECK(did_you_mean("rum", known) == "did you mean 'run'? ");
  CHECK(did_you_mean("xylophone", known).empty());
}

}  // namespace tradewind

#include "launcher/clusters/slurm_lists.h"

#include <doctest/doctest.h>

#include "common/errors.h"

using namespace tradewind;
using namespace tradewind::launcher;
using Names = std::vector<std::string>;

TEST_CASE("lists of hosts") {
  const auto hosts = [](const std::string& list) { return expand_hosts(list, "SLURM_NODELIST"); };
  CHECK(hosts("node1") == Names{"node1"});
  CHECK(hosts("node[1,3]") == Names{"node1", "node3"});
  CHECK(hosts("n[001-003,007],gpu-[1-2]-[03-04]") ==
        Names{"n001", "n002", "n003", "n007", "gpu-1-03", "gpu-1-04", "gpu-2-03", "gpu-2-04"});
  CHECK(hosts("rack[1-2]n[1-2]") == Names{"rack1n1", "rack1n2", "rack2n1", "rack2n2"});
  CHECK(hosts("n[8-11]") == Names{"n8", "n9", "n10", "n11"});
  CHECK(hosts("n[08-11]-ib") == Names{"n08-ib", "n09-ib", "n10-ib", "n11-ib"});
  CHECK(hosts("n[098-101]") == Names{"n098", "n099", "n100", "n101"});
  CHECK(hosts("a,b,a") == Names{"a", "b", "a"});
  for (const char* bad :
       {"", "n[1-", "n[1]]", "n[3-1]", "n[a-b]", "a,,b", "n[1-9999999999]", "n[0-999][0-9999]", "n[]"})
    CHECK_THROWS_AS(hosts(bad), UserError);
  CHECK_THROWS_WITH_AS(hosts("n[3-1]"),
                       "variable SLURM_NODELIST: `n[3-1]` is no list that Slurm makes: the range `3-1`\n"
                       "  remedy: it is set by Slurm: leave it as it is, or unset all SLURM_* variables",
                       UserError);
}

TEST_CASE("lists of counts") {
  const auto counts = [](const std::string& list) { return expand_counts(list, "SLURM_TASKS_PER_NODE"); };
  CHECK(counts("2(x2)") == std::vector<int>{2, 2});
  CHECK(counts("3,1(x2)") == std::vector<int>{3, 1, 1});
  CHECK(counts("4,1") == std::vector<int>{4, 1});
  CHECK(counts("7") == std::vector<int>{7});
  for (const char* bad : {"", "x", "2(x", "2(x2", "2(xa)", "-1", "1(x9999999)", "2,,1"})
    CHECK_THROWS_AS(counts(bad), UserError);
}

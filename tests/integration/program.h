// Runs a program to its end, as a user would from a shell.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/helpers/temporary_folder.h"

namespace tradewind::test {

struct Result {
  int code = 0;  // 128 + n when signal n ended it
  bool by_signal = false;
  std::string output, error;
};

struct Program {
  std::vector<std::string> command;
  std::filesystem::path folder = ".";
  std::map<std::string, std::string> environment = {};  // on top of this process's
  // Called with each piece of standard error as it comes.
  std::function<void(pid_t, const std::string& error_so_far)> watch = {};
};

Result run(const Program& program);

// A folder of its own, with links to the files of `source`; removed at the end.
class Folder : public TemporaryFolder {
 public:
  explicit Folder(const std::filesystem::path& source = {});
};

void write_text(const std::filesystem::path& file, const std::string& text);
// Living processes whose environment holds `mark` (NAME=value).
int processes_marked(const std::string& mark);
// One of them with that name (at most 15 characters count); 0 when there is none.
pid_t marked_process(const std::string& mark, const std::string& name);

}  // namespace tradewind::test

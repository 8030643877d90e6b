#include "launcher/launch/srun.h"

#include <algorithm>
#include <cctype>

#include "common/errors.h"

namespace tradewind::launcher {

std::vector<std::string> srun_command(const Placement& placement, const Environment& environment,
                                      const std::string& folder, const std::vector<std::string>& user_options,
                                      const std::vector<std::string>& command) {
  std::vector<std::string> words = {"srun", "--ntasks=" + std::to_string(placement.world_size)};
  if (!placement.hosts.empty())
    words.push_back("--nodes=" +
                    std::to_string(std::min(static_cast<int>(placement.hosts.size()), placement.world_size)));
  // A step does not inherit it since Slurm 22.05. With it known, the step takes what it needs and no more, so that a
  // second run fits beside it.
  if (const std::string cpus = environment.get_or("SLURM_CPUS_PER_TASK", ""); !cpus.empty()) {
    words.push_back("--cpus-per-task=" + cpus);
    if (!placement.inside_step) words.emplace_back("--exact");
  }
  if (placement.inside_step) words.emplace_back("--overlap");
  // What SLURM_* variables would decide otherwise. Ending the ranks is the launcher's: it knows the cause.
  for (const char* option : {"--input=none", "--export=ALL", "--mpi=none", "--kill-on-bad-exit=0", "--wait=0"})
    words.emplace_back(option);
  words.push_back("--chdir=" + folder);
  words.insert(words.end(), user_options.begin(), user_options.end());
  words.insert(words.end(), command.begin(), command.end());
  return words;
}

std::vector<std::string> words_of(const std::string& text, const std::string& option) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == 0 && std::isspace(static_cast<unsigned char>(c)) != 0) {
      if (in_word) words.push_back(std::exchange(word, {}));
      in_word = false;
      continue;
    }
    in_word = true;
    if (c == '\\' && quote != '\'' && i + 1 < text.size()) {
      word += text[++i];
    } else if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == quote) {
      quote = 0;
    } else {
      word += c;
    }
  }
  if (quote != 0) throw UserError("a quote is not closed in `" + text + "`", option, "close it");
  if (in_word) words.push_back(word);
  return words;
}

std::string shown(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
      return std::isalnum(c) != 0 || std::string("_-=./:,@%+").find(static_cast<char>(c)) != std::string::npos;
    });
    std::string quoted = word;
    for (std::size_t at = 0; !plain && (at = quoted.find('\'', at)) != std::string::npos; at += 4)
      quoted.replace(at, 1, R"('\'')");
    text += (text.empty() ? "" : " ") + (plain ? word : "'" + quoted + "'");
  }
  return text;
}

}  // namespace tradewind::launcher

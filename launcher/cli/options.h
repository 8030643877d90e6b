// What each command of `tradewind` takes, added to an application of CLI11: values go to the command as they are read.
#pragma once

#include <string>
#include <vector>

#include "launcher/cli/command_line.h"

namespace CLI {
class App;
}

namespace tradewind::launcher {

// The worker reads these words itself; here they are known for the help and for mistakes.
struct CompareWords {
  std::string value;
  bool flag = false;
};

// Each returns the command's own application. `words`: the config, then overrides.
CLI::App* add_run(CLI::App& app, RunCommand& run, std::vector<std::string>& words);
CLI::App* add_exec(CLI::App& app, ExecCommand& exec);
CLI::App* add_cluster(CLI::App& app, ClusterCommand& cluster, std::vector<std::string>& words);
CLI::App* add_inspect(CLI::App& app, InspectCommand& inspect);
CLI::App* add_predict(CLI::App& app, PredictCommand& predict);
CLI::App* add_retrieve(CLI::App& app, RetrieveCommand& retrieve, std::vector<std::string>& words);
CLI::App* add_serve(CLI::App& app, ServeCommand& serve);
CLI::App* add_compare(CLI::App& app, CompareWords& words);
CLI::App* add_status(CLI::App& app, StatusCommand& status);
CLI::App* add_diagnose(CLI::App& app, DiagnoseCommand& diagnose);
CLI::App* add_drill(CLI::App& app, DrillCommand& drill);

}  // namespace tradewind::launcher

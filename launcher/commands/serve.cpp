#include <unistd.h>

#include <chrono>
#include <filesystem>

#include "common/checkpoint/opening/obstacles.h"
#include "common/errors.h"
#include "common/files/whole_file.h"
#include "launcher/commands/commands.h"
#include "launcher/commands/workers.h"
#include "launcher/report/run_folder.h"
#include "launcher/wire/token.h"

namespace tradewind::launcher {
namespace {

namespace fs = std::filesystem;

// What a client finds in the folder, from before the service starts until after it has ended.
class Token {
 public:
  explicit Token(const fs::path& folder) : path_((folder / "token").string()), text_(make_token()) {
    write_whole(path_, text_ + "\n",
                {.what = "the token", .remedy = "give a folder of your own", .mode = 0600, .own_folder = true});
  }
  ~Token() { ::unlink(path_.c_str()); }
  Token(const Token&) = delete;
  Token& operator=(const Token&) = delete;
  const std::string& text() const { return text_; }

 private:
  std::string path_, text_;
};

}  // namespace

int serve(const ServeCommand& command, const Environment& environment, TimePoint started) {
  // Refuses what is not supported before a worker starts.
  checkpoint::open_checkpoint(command.checkpoint, {.forecast = false});
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const fs::path folder = fs::absolute(make_run_folder(command.folder, ".", now));
  const std::string socket = (folder / "socket").string();
  std::error_code error;
  if (fs::exists(fs::symlink_status(socket, error)))
    throw UserError("something is there already: another service, or one that was killed", socket,
                    "give another folder, or remove it");
  const Token token(folder);
  Job job{.command = "serve",
          .arguments = {{"checkpoint", command.checkpoint},
                        {"socket", socket},
                        {"token", token.text()},
                        {"idle", command.idle}},
          .world_size = command.world_size};
  if (!command.precision.empty()) job.arguments["precision"] = command.precision;
  if (!command.device.empty()) job.arguments["device"] = command.device;
  const int code =
      run_workers(job, environment,
                  {.verbosity = command.verbosity, .reports = {(folder / "report.json").string()}, .started = started});
  ::unlink(socket.c_str());  // left by a worker that was killed
  return code;
}

}  // namespace tradewind::launcher

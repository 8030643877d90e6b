#include "launcher/report/report.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "launcher/process/descriptor.h"

namespace tradewind::launcher {
namespace {

Json seconds_of(const proto::Timings& seconds, double total) {
  return {{"load", seconds.load},
          {"input", seconds.input},
          {"first_step", seconds.first_step},
          {"step_median", seconds.step_median},
          {"output", seconds.output},
          {"total", total}};
}

}  // namespace

Json report_of(const Outcome& outcome, double total_seconds) {
  Json ranks = Json::array();
  for (std::size_t i = 0; i < outcome.ranks.size(); ++i) {
    const RankResult& rank = outcome.ranks[i];
    Json entry = {{"rank", i},
                  {"host", rank.host},
                  {"pid", rank.pid},
                  {"device", rank.device},
                  {"peak_rss_bytes", rank.peak_rss_bytes},
                  {"peak_device_bytes", rank.peak_device_bytes}};
    for (const auto& [name, value] : rank.figures.items())
      if (!entry.contains(name)) entry[name] = value;
    ranks.push_back(std::move(entry));
  }
  Json report = {{"status", outcome.status},
                 {"exit_code", outcome.exit_code},
                 {"world_size", outcome.ranks.size()},
                 {"steps", outcome.steps},
                 {"seconds", seconds_of(outcome.seconds, total_seconds)},
                 {"ranks", std::move(ranks)}};
  if (!outcome.hang.is_null()) report["hang"] = outcome.hang;
  if (outcome.error) {
    const RankError& error = *outcome.error;
    report["error"] = {{"what", error.what},     {"where", error.where},
                       {"remedy", error.remedy}, {"rank", error.rank < 0 ? Json(nullptr) : Json(error.rank)},
                       {"phase", error.phase},   {"last_lines", error.last_lines}};
  }
  for (const RankError& error : outcome.knock_on)
    report["knock_on"].push_back(
        {{"rank", error.rank}, {"what", error.what}, {"where", error.where}, {"phase", error.phase}});
  return report;
}

Json report_of(const Error& error, int world_size, double total_seconds) {
  return {{"status", "failed"},
          {"exit_code", static_cast<int>(error.exit_code())},
          {"world_size", world_size},
          {"steps", 0},
          {"seconds", seconds_of({}, total_seconds)},
          {"ranks", Json::array()},
          {"error",
           {{"what", error.message()},
            {"where", error.where()},
            {"remedy", error.remedy()},
            {"rank", nullptr},
            {"phase", "start"},
            {"last_lines", Json::array()}}}};
}

void write_report(const Json& report, const std::string& path) {
  const auto fault = [&path](const char* doing) {
    throw EnvironmentFault(std::string("cannot ") + doing + " the report: " + std::strerror(errno), path,
                           "give a path in a folder that can be written, with --report or --run-dir");
  };
  const std::string text = report.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  const std::string beside = path + ".partial";
  Descriptor file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file.valid()) fault("create");
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = ::write(file.get(), text.data() + done, text.size() - done);
    if (n < 0 && errno != EINTR) fault("write");
    if (n > 0) done += static_cast<std::size_t>(n);
  }
  file.reset();
  if (::rename(beside.c_str(), path.c_str()) != 0) fault("name");
}

}  // namespace tradewind::launcher

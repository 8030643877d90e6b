#include "worker/outputs/printer.h"

#include <ATen/ATen.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <limits>
#include <utility>

#include "common/errors.h"
#include "common/files/folder.h"
#include "common/streams.h"
#include "worker/fields/selection.h"

namespace tradewind::outputs {
namespace {

// (variables, 2): smallest and largest of this rank's rows, without missing values.
at::Tensor extremes(const at::Tensor& values) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  if (values.size(1) == 0) return at::tensor({infinity, -infinity}).repeat({values.size(0), 1});
  return at::stack({at::nan_to_num(values, infinity, infinity, -infinity).amin(1),
                    at::nan_to_num(values, -infinity, infinity, -infinity).amax(1)},
                   1)
      .to(at::kCPU)
      .contiguous();
}

std::string number(const char* name, double value) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%s=%g", name, value);
  std::string text = buffer;
  text.resize(std::max<std::size_t>(text.size(), 18), ' ');
  return text;
}

}  // namespace

Printer::Printer(const config::PrinterOutputConfig& config, const OutputContext& context,
                 dist::Communicator& communicator)
    : config_(config), context_(context), communicator_(communicator) {
  if (communicator.rank() != 0) return;
  file_ = stdout;
  if (!config_.path) return;
  path_ = config::with_dataset(*config_.path, context.metadata.dataset);
  if (!context.streams.contains(path_) && descriptor_named(path_) == STDOUT_FILENO) return;
  file_ = nullptr;
  if (OrderedFile::is_ordered(path_, context.streams)) {
    stream_ = std::make_unique<OrderedFile>(path_, context.streams);
    return;
  }
  std::error_code error;
  if (const auto folder = std::filesystem::path(path_).parent_path(); !folder.empty())
    std::filesystem::create_directories(folder, error);
  // A pipe or a device takes many.
  if (!std::filesystem::exists(path_, error) || std::filesystem::is_regular_file(path_, error))
    lock_ = LockFile::take(target_of_links(path_) + ".lock", "the output " + path_,
                           "wait until that run has ended or end it, or write under another name", LockPart::writer,
                           context.run_words.empty() ? words_of_process() : context.run_words);
  // Emptied by prepare(): what is refused before the first step leaves an older file as it was.
  const int opened = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  file_ = opened < 0 ? nullptr : ::fdopen(opened, "w");
  if (!file_) throw EnvironmentFault(std::string("cannot open the printer's file: ") + std::strerror(errno), path_);
}

Printer::~Printer() {
  if (file_ && file_ != stdout) std::fclose(file_);
}

bool Printer::wants(Duration step) const {
  return fields::is_due(config_.common, context_.write_initial_state, context_.output_frequency, step);
}

std::vector<std::string> Printer::prepare(const Outlook& outlook) {
  const Due due = outlook.due([this](Duration step) { return wants(step); });
  const bool any = std::any_of(due.states.begin(), due.states.end(), [this](const State& state) {
    return !config_.common.variables ||
           std::any_of(state.variables.begin(), state.variables.end(), [this](const std::string& name) {
             return fields::is_selected(config_.common.variables, name, context_.metadata);
           });
  });
  if (!any) fields::refuse_nothing(config_.common, due, "output.printer");
  if (file_ && file_ != stdout && ::ftruncate(::fileno(file_), 0) != 0 && errno != EINVAL)
    throw EnvironmentFault(std::string("cannot empty the printer's file: ") + std::strerror(errno), path_);
  return {};
}

void Printer::write(const State& state) {
  if (!wants(state.step)) return;
  const at::Tensor all = communicator_.all_gather(
      extremes(state.values).view({1, -1, 2}),
      std::vector<std::int64_t>(static_cast<std::size_t>(communicator_.size()), 1), "output.printer");
  if (communicator_.rank() != 0) return;
  const at::Tensor smallest = all.select(2, 0).amin(0), largest = all.select(2, 1).amax(0);
  const std::string points = std::to_string(state.grid->rows.total());
  std::string text = "\n";
  if (context_.metadata.multi_dataset_layout) text += "[" + context_.metadata.dataset + "] ";
  text += "😀 date=" + iso_date(state.base + state.step) + " latitudes=(" + points + ",) longitudes=(" + points + ",) ";
  if (!config_.common.variables && config_.max_lines == 0) {
    text += "Skipping printing fields\n\n";
  } else {
    text += "fields=" + std::to_string(state.variables.size()) + "\n\n";
    std::size_t width = 0, lines = state.variables.size();
    for (const auto& name : state.variables) width = std::max(width, name.size());
    if (!config_.common.variables && config_.max_lines > 0)
      lines = std::min(lines, static_cast<std::size_t>(config_.max_lines));
    for (std::size_t i = 0; i < lines; ++i) {
      const std::string& name = state.variables[i];
      auto least = smallest[static_cast<std::int64_t>(i)].item<double>();
      auto most = largest[static_cast<std::int64_t>(i)].item<double>();
      if (least > most) least = most = std::numeric_limits<double>::quiet_NaN();  // nothing but missing values
      if (!fields::is_selected(config_.common.variables, name, context_.metadata)) continue;
      text.append("    ").append(name).append(width - name.size(), ' ').append(" shape=(").append(points).append(",) ");
      text.append(number("min", least)).append(" ").append(number("max", most)).append("\n");
    }
    text += "\n";
  }
  if (stream_)
    stream_->write(text);
  else if (std::fputs(text.c_str(), file_) < 0 || std::fflush(file_) != 0)
    throw EnvironmentFault(std::string("cannot print the state: ") + std::strerror(errno), path_);
}

void Printer::close() {
  const LockFile until_closed = std::move(lock_);
  if (stream_) stream_->close();
  if (!file_ || file_ == stdout) return;
  std::FILE* file = std::exchange(file_, nullptr);
  const int synced = ::fsync(::fileno(file)) == 0 || errno == EINVAL || errno == EROFS ? 0 : errno;
  const int closed = std::fclose(file) == 0 ? 0 : errno;
  if (synced != 0 || closed != 0) throw write_fault("the printer's file", path_, synced != 0 ? synced : closed);
}

}  // namespace tradewind::outputs

#include "launcher/watch/program_place.h"

#include <algorithm>
#include <array>
#include <sstream>

#include "launcher/watch/flight_verdict.h"
#include "launcher/watch/python_frames.h"

namespace tradewind::launcher {
namespace {

using Kind = ProgramPlace::Kind;

// What the beginning of a function's name says of who waits there, in the order in which a stack is looked through.
struct Sign {
  const char* part;
  Kind kind;
  bool names_it;  // the function's name says what it is
};
constexpr std::array signs = {
    Sign{"MPI_", Kind::collective, true},
    Sign{"ncclAll", Kind::collective, true},
    Sign{"ncclReduce", Kind::collective, true},
    Sign{"ncclBroadcast", Kind::collective, true},
    Sign{"ncclGroupEnd", Kind::collective, true},
    Sign{"ncclCommInit", Kind::collective, true},
    Sign{"ncclCommFinalize", Kind::collective, true},
    Sign{"c10d::TCPStore", Kind::collective, false},
    Sign{"c10d::", Kind::collective, false},
    Sign{"gloo::", Kind::collective, false},
    Sign{"cudaStreamSynchronize", Kind::device, true},
    Sign{"cudaDeviceSynchronize", Kind::device, true},
    Sign{"cudaEventSynchronize", Kind::device, true},
    Sign{"cuStreamSynchronize", Kind::device, true},
    Sign{"cuEventSynchronize", Kind::device, true},
    Sign{"cuCtxSynchronize", Kind::device, true},
};

std::string name_alone(const std::string& function) {
  const std::size_t begin = function.starts_with("P") ? 1 : 0;  // PMPI_Barrier
  return function.substr(begin, function.find_first_of("(@ ", begin) - begin);
}

ProgramPlace by_stack(const std::vector<std::string>& functions) {
  for (const std::string& function : functions)
    for (const Sign& sign : signs) {
      const std::size_t at = function.find(sign.part);
      if (at == std::string::npos) continue;
      const bool store = std::string(sign.part) == "c10d::TCPStore";
      return {sign.kind, sign.names_it ? name_alone(function) : store ? "the store where ranks meet" : "a collective"};
    }
  for (const std::string& function : functions)
    for (const char* part : {"Py_FinalizeEx", "__run_exit_handlers", "_exit"})
      if (function.starts_with(part)) return {Kind::leaving, "exit"};
  for (const std::string& function : functions)
    if (function.find("nanosleep") != std::string::npos || function.find("pysleep") != std::string::npos)
      return {Kind::sleep, "sleep"};
  return {};
}

ProgramPlace by_frames(const std::vector<PythonFrame>& frames) {
  if (frames.empty()) return {};
  const PythonFrame& innermost = frames.front();
  const auto ends = [&](const char* file) { return innermost.file.ends_with(file); };
  if (ends("torch/distributed/distributed_c10d.py")) return {Kind::collective, innermost.function};
  if (ends("torch/distributed/rendezvous.py")) return {Kind::collective, "rendezvous"};
  if (ends("torch/cuda/__init__.py") && innermost.function == "synchronize") return {Kind::device, "synchronize"};
  return {};
}

}  // namespace

std::vector<std::string> function_names(const std::string& stack, int id) {
  const std::string wanted = std::to_string(id);
  std::vector<std::string> names;
  std::istringstream lines(stack);
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("TID ") || line.starts_with("Thread ")) {
      inside = line == "TID " + wanted + ":" || line.find("LWP " + wanted + ")") != std::string::npos;
    } else if (inside && line.starts_with("#")) {
      // `#0  0x00007f.. name` of eu-stack, `#0  0x00007f.. in name (arguments) from library` of gdb.
      const std::size_t address = line.find(" 0x");
      std::size_t name = address == std::string::npos ? line.find(' ') : line.find(' ', address + 1);
      if (name == std::string::npos) continue;
      name = line.find_first_not_of(' ', name);
      if (name == std::string::npos) continue;
      if (line.compare(name, 3, "in ") == 0) name += 3;
      names.push_back(line.substr(name));
    }
  }
  return names;
}

ProgramPlace place_of(const Testimony& testimony) {
  const proto::RankSample& sample = testimony.sample;
  const std::vector<PythonFrame> frames = main_frames(testimony.frames);
  ProgramPlace place = by_frames(frames);
  const auto& threads = sample.process.threads;
  const auto main = std::find_if(threads.begin(), threads.end(), [&](const auto& t) { return t.id == sample.pid; });
  if (place.kind == Kind::unknown) place = by_stack(function_names(testimony.stack, sample.pid));
  // A collective that the program waits for in a way of its own.
  const FlightEntry* waits = testimony.flight ? waits_in(*testimony.flight) : nullptr;
  if (place.kind == Kind::collective && waits != nullptr) place.what = waits->operation;
  if (place.kind == Kind::unknown && main != threads.end() && !main->path.empty()) place = {Kind::file, main->path};
  if (place.kind == Kind::unknown && (!frames.empty() || !testimony.stack.empty())) place.kind = Kind::own;
  if (const PythonFrame* frame = own_frame(frames)) place.at = text_of(*frame);
  return place;
}

std::string text_of(const ProgramPlace& place) {
  std::string text;
  switch (place.kind) {
    case Kind::collective:
      text = "waits in " + place.what;
      break;
    case Kind::device:
      text = "waits for its device in " + place.what;
      break;
    case Kind::file:
      text = "is held up by the file " + place.what;
      break;
    case Kind::sleep:
      text = "sleeps";
      break;
    case Kind::leaving:
      text = "is leaving";
      break;
    case Kind::own:
      text = "is in its own code";
      break;
    case Kind::unknown:
      text = "is at a place that cannot be seen";
      break;
  }
  return text + (place.at.empty() ? "" : " (" + place.at + ")");
}

}  // namespace tradewind::launcher

#include "launcher/watch/hang_report.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <sstream>

#include "common/dates.h"
#include "common/errors.h"
#include "common/exit_codes.h"
#include "common/files/whole_file.h"
#include "launcher/watch/describe.h"
#include "launcher/watch/python_frames.h"

namespace tradewind::launcher {
namespace {

using Json = nlohmann::ordered_json;
using proto::RankSample;

constexpr int schema_version = 1;

const RankSample* sample_of(const Hang& hang, int rank) {
  for (const RankSample& sample : hang.samples)
    if (sample.rank == rank) return &sample;
  return nullptr;
}

std::vector<std::string> lines_of(const std::string& text, std::size_t most) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; lines.size() < most && std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// gdb's guess at a frame, without name and library.
bool says_nothing(const std::string& frame) { return frame.ends_with(" in ?? ()"); }

// The frames of one thread out of what eu-stack or gdb writes for all, without addresses; all lines when it is not
// found.
std::vector<std::string> frames_of(const std::string& text, int thread, std::size_t most) {
  const std::string id = std::to_string(thread);
  std::vector<std::string> frames;
  bool inside = false;
  for (const std::string& line : lines_of(text, text.size())) {
    if (line.starts_with("TID ") || line.starts_with("Thread ")) {
      inside = line == "TID " + id + ":" || line.find("LWP " + id + ")") != std::string::npos;
    } else if (inside && line.starts_with("#") && !says_nothing(line) && frames.size() < most) {
      const std::size_t address = line.find(" 0x"), name = line.find(' ', address + 1);
      const bool has_both = address != std::string::npos && name != std::string::npos;
      frames.push_back(has_both ? line.substr(0, line.find(' ')) + line.substr(name) : line);
    }
  }
  return frames.empty() ? lines_of(text, most) : frames;
}

// The thread that says most: one at a file, else the main thread.
const proto::ThreadFacts* telling_thread(const RankSample& sample) {
  const proto::ThreadFacts* main = nullptr;
  for (const auto& thread : sample.process.threads) {
    if (!thread.path.empty()) return &thread;
    if (thread.id == sample.pid) main = &thread;
  }
  return main;
}

int telling_id(const RankSample& sample) {
  const auto* thread = telling_thread(sample);
  return thread != nullptr ? thread->id : sample.pid;
}

// Its main thread, innermost first.
std::vector<std::string> python_lines(const Hang& hang, int rank) {
  const auto dump = hang.frames.find(rank);
  return dump == hang.frames.end() ? std::vector<std::string>() : lines_of(main_frames(dump->second));
}

Json culprit_json(const Hang& hang, int rank) {
  constexpr std::size_t most_lines = 40;
  const RankSample* sample = sample_of(hang, rank);
  const RankSample none{.rank = rank};
  const RankSample& s = sample != nullptr ? *sample : none;
  const auto* thread = telling_thread(s);
  const auto stack = hang.stacks.find(rank);
  const auto& t = s.telemetry;
  return {{"rank", rank},
          {"host", s.host},
          {"pid", s.pid},
          {"phase", t.phase},
          {"step", t.step},
          {"operation", t.call.operation.empty() ? t.layer : call_text(t.call)},
          {"sequence", t.call.sequence},
          {"state", std::string(1, thread != nullptr ? thread->state : s.process.state)},
          {"wchan", thread != nullptr ? thread->wchan : ""},
          {"path", blocked_file(s)},
          {"stack", stack != hang.stacks.end() ? frames_of(stack->second, telling_id(s), most_lines)
                                               : std::vector<std::string>()}};
}

std::string seconds_text(double seconds) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f s", seconds);
  return text.data();
}

void add_stack(const Hang& hang, std::string& text, std::size_t most) {
  if (hang.verdict.culprits.empty()) return;
  constexpr std::size_t most_python = 6;
  const std::vector<std::string> python = python_lines(hang, hang.verdict.culprits.front());
  if (!python.empty()) {
    text += "  Python of rank " + std::to_string(hang.verdict.culprits.front()) + ":\n";
    for (std::size_t i = 0; i < std::min(python.size(), most_python); ++i) text += "    " + python[i] + "\n";
    return;
  }
  const auto stack = hang.stacks.find(hang.verdict.culprits.front());
  if (stack == hang.stacks.end() || stack->second.empty()) return;
  text += "  stack of rank " + std::to_string(stack->first) + ":\n";
  constexpr std::size_t widest = 110;
  const RankSample* sample = sample_of(hang, stack->first);
  const int thread = sample != nullptr ? telling_id(*sample) : 0;
  for (const std::string& line : frames_of(stack->second, thread, most)) text += "    " + line.substr(0, widest) + "\n";
}

// To whom the ranks are programs of his own.
std::string advice_for_program(const Hang& hang) {
  switch (hang.verdict.finding) {
    case Finding::outlier:
    case Finding::disagreement:
      return "look why the ranks take different ways to that collective; the dump has their frames and last "
             "collectives";
    case Finding::missing:
      return "its frames and stack in the dump say what it does instead";
    case Finding::blocked_io:
      return "look at the file system, or the other end, of that path";
    case Finding::stuck:
      return "the stacks in the dump say where they stand; --hang-after gives such a program more time";
    default:
      return {};
  }
}

}  // namespace

std::string advice_for(const Hang& hang) {
  if (const std::string advice = hang.programs ? advice_for_program(hang) : std::string(); !advice.empty())
    return advice;
  const auto& culprits = hang.verdict.culprits;
  const bool seen = culprits.empty() ? !hang.stacks.empty() : hang.stacks.contains(culprits.front());
  switch (hang.verdict.finding) {
    case Finding::unreachable:
      return "look whether that host is up; leave it out of the next run (sbatch --exclude)";
    case Finding::stopped:
      return "find out who sent SIGSTOP; kill -CONT lets it go on (with --hang observe)";
    case Finding::blocked_io:
      return "look at the file system of that path; --hang-after gives slow ones more time";
    case Finding::outlier:
    case Finding::disagreement:
      return "check that all ranks run the same build and read the same checkpoint and input; please report it";
    case Finding::missing:
    case Finding::stuck:
      return seen ? "its stack in the dump says what it does instead; please report it"
                  : "no stack could be taken: install eu-stack (package elfutils) or gdb on its host; please report it";
    case Finding::device:
      return "look for Xid errors of that device in its host's log (dmesg)";
    case Finding::network:
      return "look at links and firewalls between the hosts of the run";
  }
  return {};
}

std::optional<std::int64_t> durable_step(const std::vector<RankSample>& samples) {
  std::optional<std::int64_t> least;
  for (const RankSample& sample : samples) {
    const std::int64_t written = sample.telemetry.written_step;
    if (written < 0) return std::nullopt;
    least = std::min(least.value_or(written), written);
  }
  return least;
}

Json to_json(const Hang& hang) {
  const Verdict& verdict = hang.verdict;
  Json culprits = Json::array();
  for (const int rank : verdict.culprits) {
    culprits.push_back(culprit_json(hang, rank));
    if (hang.programs) culprits.back()["python"] = python_lines(hang, rank);
  }
  const auto durable = durable_step(hang.samples);
  return {{"schema", schema_version},
          {"verdict", name_of(verdict.finding)},
          {"certainty", name_of(verdict.certainty)},
          {"what", verdict.what},
          {"culprits", std::move(culprits)},
          {"waiting", verdict.waiting},
          {"evidence", verdict.evidence},
          {"last_durable_step", durable ? Json(duration_text(Duration(*durable))) : Json(nullptr)},
          {"action", hang.stopped     ? "stopped"
                     : hang.withdrawn ? "withdrawn"
                                      : "observed"},
          {"exit_code", hang.stopped ? static_cast<int>(ExitCode::hang) : 0},
          {"seconds_to_suspect", hang.seconds_to_suspect},
          {"seconds_to_verdict", hang.seconds_to_verdict},
          {"dump", hang.dump_folder}};
}

std::string to_text(const Hang& hang) {
  const Verdict& verdict = hang.verdict;
  std::string text = "the run hangs: " + verdict.what + "\n";
  text += "  verdict: " + std::string(name_of(verdict.finding)) + " (" + name_of(verdict.certainty) +
          "), nothing moved for " + seconds_text(hang.seconds_to_verdict) + "\n";
  if (verdict.culprits.empty()) text += "  nobody is named: the evidence does not tell one rank from another\n";
  constexpr std::size_t most_named = 4;
  for (std::size_t i = 0; i < std::min(verdict.culprits.size(), most_named); ++i)
    if (const RankSample* sample = sample_of(hang, verdict.culprits[i]))
      text += "  who: rank " + std::to_string(sample->rank) + " on " + sample->host + ", process " +
              std::to_string(sample->pid) + "\n";
  constexpr std::size_t most_evidence = 6, most_stack = 8, widest = 150;
  text += "  evidence:\n";
  for (std::size_t i = 0; i < std::min(verdict.evidence.size(), most_evidence); ++i)
    text += "    " + verdict.evidence[i].substr(0, widest) + "\n";
  if (!verdict.waiting.empty()) text += "  waiting: " + ranks_text(verdict.waiting) + "\n";
  add_stack(hang, text, most_stack);
  if (const auto durable = durable_step(hang.samples))
    text += "  written and readable: up to lead time " + duration_text(Duration(*durable)) + "\n";
  if (!hang.dump_folder.empty()) text += "  dump of every rank: " + hang.dump_folder + "\n";
  return text + "  next: " + advice_for(hang) + "\n";
}

std::string dump_text(const RankSample& sample, const std::string& stack) {
  const auto& t = sample.telemetry;
  const auto& p = sample.process;
  std::ostringstream text;
  text << "rank " << sample.rank << " on " << sample.host << ", process " << sample.pid << ", " << sample.device << '\n'
       << place_text(sample) << '\n'
       << "in this place for " << t.place_seconds << " s; last collective " << t.call.sequence << " ("
       << call_text(t.call) << ") begun " << t.call_seconds << " s ago\n"
       << "collectives: " << t.enqueued << " enqueued, " << t.started << " started, " << t.done << " done, "
       << t.waited_seconds << " s waited\n"
       << "bytes: " << t.bytes_read << " read, " << t.bytes_written << " written; process " << p.read_characters
       << " read, " << p.written_characters << " written\n"
       << "CPU " << p.cpu_seconds << " s, " << p.starved_seconds << " s without one; resident " << p.resident_bytes
       << " bytes\n";
  if (t.device_queued > 0)
    text << "device: has come to collective " << t.reached()
         << (t.device_lags() ? ", has more to do" : ", has done all") << '\n';
  if (t.torn) text << "the page was being written when the rank stood still\n";
  for (const auto& [what, counts] : {std::pair("sent", &t.call.sent), std::pair("received", &t.call.received)}) {
    if (counts->empty()) continue;
    text << "rows " << what << ':';
    for (const std::int64_t count : *counts) text << ' ' << count;
    text << '\n';
  }
  for (const auto& file : t.files)
    text << "file: " << file.use << ' ' << file.path << ", " << file.open_seconds << " s\n";
  for (const auto& thread : p.threads)
    text << "thread " << thread.id << ": state " << thread.state << ' ' << thread.wchan << ' ' << thread.system_call
         << ' ' << thread.path << '\n';
  if (!stack.empty()) text << "\n" << stack;
  return text.str();
}

namespace {

// A dump that cannot be kept is no reason to end anything.
void keep_dump(const std::string& folder, const std::string& name, const std::string& text) {
  try {
    Folder::make_own(folder);
    write_whole(folder + "/" + name, text, {.what = "the dump", .own_folder = true});
  } catch (const EnvironmentFault&) {
  }
}

}  // namespace

void write_dumps(const Hang& hang) {
  if (hang.dump_folder.empty()) return;
  const auto text_of = [](const std::map<int, std::string>& texts, int rank) {
    const auto found = texts.find(rank);
    return found != texts.end() ? found->second : std::string();
  };
  for (const RankSample& sample : hang.samples) {
    std::string text = dump_text(sample, text_of(hang.stacks, sample.rank));
    if (const std::string frames = text_of(hang.frames, sample.rank); !frames.empty())
      text += "\nPython threads, by faulthandler:\n" + frames;
    if (const std::string record = text_of(hang.records, sample.rank); !record.empty())
      text += "\nlast collectives by c10d's flight recorder, by its own numbers, oldest first:\n" + record;
    if (const std::string ras = text_of(hang.ras, sample.rank); !ras.empty())
      text += "\nNCCL RAS, asked in this process:\n" + ras;
    keep_dump(hang.dump_folder, "rank-" + std::to_string(sample.rank) + ".txt", text);
  }
}

}  // namespace tradewind::launcher

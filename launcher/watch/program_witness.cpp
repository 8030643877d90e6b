#include "launcher/watch/program_witness.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <filesystem>

#include "common/errors.h"
#include "common/file_text.h"
#include "launcher/evidence/evidence_folder.h"
#include "launcher/process/descriptor.h"
#include "launcher/watch/python_frames.h"

namespace tradewind::launcher {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int frames_signal = 3, flight_signal = 4;  // beyond SIGRTMIN: evidence/sitecustomize.py
constexpr std::size_t most_frames_text = std::size_t{256} << 10, most_flight = std::size_t{64} << 20;

std::int64_t size_of(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) ? status.st_size : -1;
}
// Changes whenever the file is written anew.
std::int64_t age_of(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return 0;
  return status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec + static_cast<std::int64_t>(status.st_ino);
}

// From `begin` on; only of a regular file, and no more than `most`.
std::string bytes_of(const std::string& path, std::int64_t begin, std::size_t most) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  std::string bytes;
  if (!file.valid() || size_of(path) < 0) return bytes;
  std::array<char, std::size_t{64} << 10> piece{};
  while (bytes.size() < most) {
    const ssize_t count =
        ::pread(file.get(), piece.data(), piece.size(), begin + static_cast<std::int64_t>(bytes.size()));
    if (count <= 0) break;
    bytes.append(piece.data(), static_cast<std::size_t>(count));
  }
  return bytes;
}

bool in_mask(const std::string& status, const char* name, int signal) {
  const std::size_t at = status.find(name);
  if (at == std::string::npos) return false;
  const std::size_t begin = status.find_first_not_of(" \t", at + std::char_traits<char>::length(name));
  if (begin == std::string::npos) return false;
  std::uint64_t mask = 0;
  const char* first = status.data() + begin;
  if (std::from_chars(first, status.data() + status.size(), mask, 16).ec != std::errc{}) return false;
  return signal >= 1 && signal <= 64 && (mask >> (signal - 1) & 1) != 0;
}

// It has that file open: it was set up by our sitecustomize, and not by one that uses the same signals.
bool has_open(pid_t pid, const std::string& path) {
  std::error_code error;
  for (std::filesystem::directory_iterator files("/proc/" + std::to_string(pid) + "/fd", error), end;
       !error && files != end; files.increment(error)) {
    std::error_code ignored;
    if (std::filesystem::read_symlink(files->path(), ignored) == path) return true;
  }
  return false;
}

}  // namespace

bool catches(const std::string& status, int signal) { return in_mask(status, "\nSigCgt:", signal); }
bool blocks(const std::string& status, int signal) { return in_mask(status, "\nSigBlk:", signal); }

Answers last_words(const std::string& folder, int rank) {
  const std::string begin = folder + "/rank-" + std::to_string(rank);
  Answers answers;
  const std::string frames = begin + ".frames", flight = begin + ".flight";
  const std::int64_t tail = static_cast<std::int64_t>(most_frames_text);
  answers.frames = bytes_of(frames, std::max<std::int64_t>(0, size_of(frames) - tail), most_frames_text);
  if (fatal_frames(answers.frames).empty()) answers.frames.clear();
  try {
    if (size_of(flight) > 0) answers.flight = read_flight(bytes_of(flight, 0, most_flight), flight);
  } catch (const Error&) {
  }
  if (answers.flight) answers.flight->rank = rank;
  return answers;
}

void ProgramWitness::ask(boost::asio::io_context& context, const std::string& folder, int rank, pid_t pid,
                         Clock::time_point until, Done done) {
  const std::shared_ptr<ProgramWitness> self(new ProgramWitness(context, folder, rank, pid, until, std::move(done)));
  self->begin();
}

ProgramWitness::ProgramWitness(boost::asio::io_context& context, const std::string& folder, int rank, pid_t pid,
                               Clock::time_point until, Done done)
    : timer_(context), rank_(rank), pid_(pid), until_(until), done_(std::move(done)) {
  const std::string number = std::to_string(rank);
  frames_path_ = folder + "/rank-" + number + ".frames";
  flight_path_ = folder + "/rank-" + number + ".flight";
  pipe_path_ = folder + "/" + nccl_pipe_prefix + number + ".pipe";
  dump_path_ = folder + "/" + nccl_dump_prefix + number;
}

void ProgramWitness::begin() {
  const std::string status = file_text("/proc/" + std::to_string(pid_) + "/status");
  const bool ours = catches(status, SIGRTMIN + frames_signal) && has_open(pid_, frames_path_);
  if (ours) {
    frames_begin_ = std::max<std::int64_t>(0, size_of(frames_path_));
    frames_asked_ = ::kill(pid_, SIGRTMIN + frames_signal) == 0;
    flight_before_ = age_of(flight_path_);
    if (blocks(status, SIGRTMIN + flight_signal)) flight_asked_ = ::kill(pid_, SIGRTMIN + flight_signal) == 0;
  }
  struct stat pipe {};
  if (::lstat(pipe_path_.c_str(), &pipe) == 0 && S_ISFIFO(pipe.st_mode)) {
    dump_before_ = age_of(dump_path_);
    const Descriptor end(::open(pipe_path_.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW));
    dump_asked_ = end.valid() && ::write(end.get(), "1", 1) == 1;
  }
  look();
}

// Whole when it has not grown for one look.
bool ProgramWitness::frames_there() {
  const std::int64_t size = size_of(frames_path_);
  const bool whole = size > frames_begin_ && size == frames_size_;
  frames_size_ = size;
  if (whole) answers_.frames = bytes_of(frames_path_, frames_begin_, most_frames_text);
  return whole;
}

bool ProgramWitness::flight_there(const std::string& path, bool asked, std::int64_t before) {
  if (!asked || age_of(path) == before) return false;
  const std::string bytes = bytes_of(path, 0, most_flight);
  try {
    FlightRecord record = read_flight(bytes, path);
    record.rank = rank_;
    if (!answers_.flight || answers_.flight->entries.empty()) answers_.flight = std::move(record);
    return true;
  } catch (const Error&) {
    return false;  // it is being written
  }
}

void ProgramWitness::look() {
  constexpr auto pause = std::chrono::milliseconds(50);
  if (frames_asked_ && frames_there()) frames_asked_ = false;
  if (flight_there(flight_path_, flight_asked_, flight_before_)) flight_asked_ = false;
  if (flight_there(dump_path_, dump_asked_, dump_before_)) dump_asked_ = false;
  const bool all = !frames_asked_ && !flight_asked_ && !dump_asked_;
  if (all || Clock::now() >= until_) {
    if (answers_.frames.empty() && frames_asked_)
      answers_.frames = bytes_of(frames_path_, frames_begin_, most_frames_text);
    return done_(std::move(answers_));
  }
  timer_.expires_after(pause);
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error) self->look();
  });
}

}  // namespace tradewind::launcher
